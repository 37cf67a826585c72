// What accounts agree to besides list prices, billed by a whole close: each invoice comes to the amount that the oracle's golden
// months (fixtures/oracle) say, to the minor unit, and what Stripe does otherwise is told with its exact money.

import { afterEach, describe, expect, test } from 'vitest';
import { parseDecimal } from '../domain/decimal.ts';
import { HOUR_MS } from '../domain/period.ts';
import type { ContractPrice } from '../domain/price-book.ts';
import { changeAccountPrices } from './activities/change-prices.ts';
import { explainInvoice } from './explain/invoice.ts';
import { rerunOffline } from './runs/rerun.ts';
import { createCloseWorld, type CloseWorld, type WorldAccount } from './testing/close-world.ts';

let world: CloseWorld;
afterEach(async () => world.end());

const october = (day: number, hour = 0) => Date.UTC(2026, 9, day, hour);
const start = october(1);
const from = <T>(value: T, effectiveFromMs = start) => [{ effectiveFromMs, value }];
const percent = (basisPoints: bigint) => from({ kind: 'percent', basisPoints } as const);
const prepaid = (amountMinor: bigint, expiresAtMs: number | null = null) => [
  { id: 'prepaid', amountMinor, priority: 50, effectiveAtMs: start, expiresAtMs },
];
const tier = (upTo: bigint | null, unitAmount: string) => ({ upTo, unitAmount: parseDecimal(unitAmount) });
const price = (meter: ContractPrice['meter'], ...tiers: ContractPrice['tiers'][number][]): ContractPrice => ({
  meter,
  effectiveFromMs: start,
  tiers,
});

const usual = { actions: 60_000_001n, active_storage: 2_000_003n, retained_storage: 75_000_001n };
const foreign = { actions: 87_654_321n, active_storage: 1_234_567n, retained_storage: 98_765_432n };
const credited = { actions: 75_000_000n, active_storage: 2_860_000n };

/** Each with what its invoice must come to, in minor units. */
const PEOPLE: readonly (WorldAccount & { readonly due: string })[] = [
  // 175.00 + 5.88 + 0.63 + fee 500.00 = 681.51; 8.88 % of each: 15.54 + 0.52 + 0.06 + 44.40 = 60.52
  { name: 'taxed', plan: 'business', usage: usual, agreement: { taxes: from(888n) }, due: '74203' },
  // 175.00 + 5.88 + 500.00 = 680.88; 17.5 % of each: 30.63 + 1.03 + 87.50 = 119.16
  {
    name: 'coupon',
    plan: 'business',
    usage: { actions: 60_000_001n, active_storage: 2_000_003n },
    agreement: { discounts: percent(1750n) },
    due: '56172',
  },
  // 681.51 − 100.01 off the lines by largest remainder (25.68 + 0.86 + 0.09 + 73.38); 7.25 % of each rest: 42.16
  {
    name: 'amount-off',
    plan: 'business',
    usage: usual,
    agreement: { discounts: from({ kind: 'amount', amountMinor: 10_001n }), taxes: from(725n) },
    due: '62366',
  },
  // Usage 250.00 + 42.00 is paid by credit; the fee of 500.00 is not, and its tax is 19 %: 95.00
  {
    name: 'credit',
    plan: 'business',
    usage: credited,
    agreement: { grants: prepaid(10_000_000n, october(32)), taxes: from(1900n) },
    due: '59500',
  },
  // 250.00 + 500.00 fall 250.00 short of 1,000.00; 19 % of it all: 190.00
  {
    name: 'short',
    plan: 'business',
    usage: { actions: 75_000_000n },
    agreement: { commitments: from(100_000n), taxes: from(1900n) },
    due: '119000',
  },
  // 250.00 − 10 % − 100.00 credit + 500.00 − 10 % + shortfall 250.00, which neither coupon nor credit touches
  {
    name: 'promise',
    plan: 'business',
    usage: { actions: 75_000_000n },
    agreement: { commitments: from(100_000n), discounts: percent(1000n), grants: prepaid(10_000n) },
    due: '82500',
  },
  // No decimals. 0 + 7,778 + 15,506 + fee 70,000 = 93,284; 10 % of each: 778 + 1,551 + 7,000 = 9,329
  {
    name: 'yen',
    plan: 'developer',
    currency: 'jpy',
    usage: foreign,
    contracts: [
      price('actions', tier(100_000_000n, '0'), tier(600_000_000n, '0.00073'), tier(null, '0.000665')),
      price('active_storage', tier(null, '0.0063')),
      price('retained_storage', tier(null, '0.000157')),
    ],
    agreement: { fees: [{ effectiveFromMs: start, minimumMinor: 70_000n, basisPoints: 800n }], taxes: from(1000n) },
    due: '102613',
  },
  // Three decimals. 57.611 + 15.926 + 31.901 + 615.000, each − 3.33 % and + 5 %: 720.438 − 23.990 + 34.823
  {
    name: 'dinar',
    plan: 'developer',
    currency: 'kwd',
    usage: foreign,
    contracts: [
      price('actions', tier(50_000_000n, '0'), tier(null, '0.00153')),
      price('active_storage', tier(null, '0.0129')),
      price('retained_storage', tier(null, '0.000323')),
    ],
    agreement: {
      fees: [{ effectiveFromMs: start, minimumMinor: 615_000n, basisPoints: 1250n }],
      discounts: percent(333n),
      taxes: from(500n),
    },
    due: '731271',
  },
  // Developer: 200.00 + 21.00, fee 10 % = 22.10. Business from the 15th: 175.00 + 26.88, 17 of 31 days of 500.00 = 274.19
  // (more than 10 % of 201.88). The fee is rounded once: 22.10 + 274.1935… = 296.29
  {
    name: 'mover',
    plan: 'developer',
    usage: { actions: 40_000_000n, active_storage: 500_000n },
    later: { fromMs: october(15), usage: { actions: 60_000_000n, active_storage: 2_500_000n } },
    agreement: { plans: from('business', october(15)) },
    due: '71917',
  },
  // Actions begin anew at the contract price: 175.00 (their first 2.5 M are free) + 180.00; storage is not split: 47.88; fee 500.00
  {
    name: 'cheaper',
    plan: 'business',
    usage: { actions: 60_000_000n, active_storage: 1_500_000n },
    later: { fromMs: october(17, 9), usage: { actions: 60_000_000n, active_storage: 1_500_000n } },
    agreement: {
      contracts: [
        {
          ...price('actions', tier(100_000_000n, '0.0003'), tier(null, '0.0002')),
          effectiveFromMs: october(17, 9),
        },
      ],
    },
    due: '90288',
  },
  // 14 of 31 days: fee 500.00 × 14/31 = 225.81, commitment 2,000.00 × 14/31 = 903.23, and usage of 25.00 falls 652.42 short
  {
    name: 'joined',
    plan: 'business',
    joinsAtMs: october(18, 13),
    usage: { actions: 30_000_000n },
    agreement: { commitments: from(200_000n, october(18, 13)) },
    due: '90323',
  },
];

const sortByAccount = <Row extends readonly string[]>(rows: readonly Row[]) =>
  rows.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));

/** Lives through the month: prices change and accounts join at their time. */
async function liveThrough(): Promise<void> {
  for (const [name, atMs] of [['mover', october(15)] as const, ['cheaper', october(17, 9)] as const]) {
    await world.advance(atMs);
    await changeAccountPrices(world.deps, world.id(name), atMs);
    await changeAccountPrices(world.deps, world.id(name), atMs);
  }
  await world.advance(october(18, 13));
  await world.join('joined');
  await world.provision();
}

describe('a close', () => {
  test('bills every kind of agreement to the minor unit and finds nothing', async () => {
    world = await createCloseWorld(PEOPLE);
    await world.startWorker();
    await liveThrough();
    await world.stripe.plant({
      kind: 'http',
      account: world.id('promise'),
      method: 'POST',
      path_prefix: '/v1/invoiceitems',
      times: 2,
      drop_reply_after_commit: true,
    });
    const report = await world.close();
    expect(report.breaks).toEqual([]);
    expect(report.verdict).toMatchObject({ result: 'clean', billed: PEOPLE.length, unexplained: 0 });
    const invoiced = report.accounts.map(({ account, invoicedMinor }) => [account, invoicedMinor]);
    expect(invoiced).toEqual(sortByAccount(PEOPLE.map(({ name, due }) => [world.id(name), due])));
    expect(report.quantities.map(({ unexplained }) => unexplained)).toEqual(['0', '0', '0']);
    expect(await rerunOffline(world.db, report.run)).toMatchObject({ equal: true });

    const histories = await world.accounts.fetchHistories();
    const usedBy = (name: string) => histories.find(({ account }) => account === world.id(name))?.creditsUsed;
    expect(usedBy('credit')).toEqual([{ grantId: 'prepaid', period: '2026-10', amountMinor: 29_200n }]);
    expect(usedBy('promise')).toEqual([{ grantId: 'prepaid', period: '2026-10', amountMinor: 10_000n }]);

    const grants = `/v1/billing/credit_grants?customer=${await world.customer('credit')}`;
    const { data } = (await world.stripe.get(grants)) as { data: { expires_at: number }[] };
    expect(data).toMatchObject([{ expires_at: (world.period.endAtMs + 72 * HOUR_MS) / 1000 }]);

    const moved = report.invoices.find(({ account }) => account === world.id('mover'));
    const { meters } = await explainInvoice(world.db, moved?.id ?? '');
    expect(meters[0]).toMatchObject({
      meter: 'actions',
      priceId: 'actions-developer-2026-01 actions-business-2026-01',
      quantity: 100_000_000n,
      amountMinor: 37_500n,
      tiers: [
        { tier: 0, quantity: 40_000_000n, partStartAtMs: start },
        { tier: 0, quantity: 25_000_000n, partStartAtMs: october(15) },
        { tier: 1, quantity: 35_000_000n, partStartAtMs: october(15) },
      ],
    });
  });

  test('tells a wrong tax and credit that was not used, each with its money', async () => {
    const taxes = { taxes: from(888n) };
    world = await createCloseWorld([
      { name: 'taxed', plan: 'business', usage: usual, agreement: taxes },
      { name: 'untaxed', plan: 'business', usage: usual, agreement: taxes },
      { name: 'credit', plan: 'business', usage: credited, agreement: { grants: prepaid(10_000_000n) } },
    ]);
    await world.stripe.plant({ kind: 'tax_amount', account: world.id('untaxed'), delta: '-100' });
    await world.stripe.plant({ kind: 'grant_missing', account: world.id('credit') });
    await world.startWorker();
    const report = await world.close();
    expect(report.breaks.map(({ code, account, meter, amountMinor }) => [code, account, meter, amountMinor])).toEqual([
      ['DISCOUNT_CREDIT_MISMATCH', world.id('credit'), null, '-29200'],
      ['TAX_MISMATCH', world.id('untaxed'), null, '100'],
    ]);
    expect(report.verdict).toMatchObject({ result: 'breaks', billed: 3, unexplained: 0 });
    const invoiced = report.accounts.map(({ account, invoicedMinor }) => [account, invoicedMinor]);
    expect(invoiced).toEqual([
      [world.id('credit'), '79200'],
      [world.id('taxed'), '74203'],
      [world.id('untaxed'), '74103'],
    ]);
  });
});

describe('what Stripe is told of an agreement', () => {
  type Subscription = {
    readonly status: string;
    readonly trial_end: number | null;
    readonly discounts: readonly { readonly source: { readonly coupon: string } }[];
    readonly default_tax_rates: readonly { readonly percentage: number }[];
    readonly items: { readonly data: readonly { readonly price: { readonly lookup_key: string } }[] };
  };
  const subscriptionOf = async (name: string): Promise<Subscription> => {
    const path = `/v1/subscriptions?customer=${await world.customer(name)}&expand[0]=data.discounts`;
    const { data } = (await world.stripe.get(path)) as { data: Subscription[] };
    const [only] = data;
    if (only === undefined || data.length > 1) throw new Error(`${name} has ${data.length} subscriptions`);
    return only;
  };

  test('a new discount and tax replace the old ones, and nothing takes them away', async () => {
    const discounts = [...percent(1750n), ...from(null, october(20))];
    const taxes = [...from(888n), ...from(1900n, october(20))];
    world = await createCloseWorld([
      {
        name: 'fickle',
        plan: 'developer',
        usage: {},
        agreement: { discounts: discounts.slice(0, 1), taxes: from(888n) },
      },
    ]);
    const told = async () => {
      const { discounts: off, default_tax_rates: rates } = await subscriptionOf('fickle');
      return [...off.map(({ source }) => source.coupon), ...rates.map(({ percentage }) => percentage)];
    };
    expect(await told()).toEqual(['trueup-1750bp', 8.88]);
    await world.accounts.registerAgreement({ account: world.id('fickle'), discounts, taxes });
    await world.provision();
    expect(await told()).toEqual([19]);
  });

  test('a trial has its end, and costs nothing until then', async () => {
    const standings = [...from('trialing' as const), ...from('active' as const, october(32))];
    world = await createCloseWorld([{ name: 'trial', plan: 'business', usage: usual, agreement: { standings } }]);
    expect(await subscriptionOf('trial')).toMatchObject({
      status: 'trialing',
      trial_end: world.period.endAtMs / 1000,
    });
    await world.startWorker();
    const report = await world.close();
    // Used and counted, and worth nothing.
    expect(report.accounts).toMatchObject([{ state: 'billed', totalMinor: '0', invoicedMinor: '0' }]);
    expect(report.accounts[0]?.meters[0]).toMatchObject({ quantity: '60000001', amountMinor: '0' });
    expect(report.quantities.map(({ unexplained }) => unexplained)).toEqual(['0', '0', '0']);
  });

  test('prices stay as they are until it has counted all that was used before they change', async () => {
    const atMs = october(15);
    const agreement = { plans: from('business' as const, atMs) };
    world = await createCloseWorld([{ name: 'mover', plan: 'developer', usage: { actions: 24n }, agreement }]);
    const dropped = { account: world.id('mover'), event_name: 'actions', hour: '2026-10-01T00:00:00Z' };
    await world.stripe.plant({ kind: 'drop_meter_event', ...dropped });
    const early = changeAccountPrices(world.deps, world.id('mover'), atMs);
    await expect(early).rejects.toThrow('change at 2026-10-15T00:00:00.000Z');
    await world.advance(atMs);
    const change = changeAccountPrices(world.deps, world.id('mover'), atMs);
    await expect(change).rejects.toMatchObject({ code: 'SUMMARY_NOT_READY', retryable: true });
    const { items } = await subscriptionOf('mover');
    expect(items.data.map(({ price: held }) => held.lookup_key)).toContain('actions-developer-2026-01');
  });
});
