import { afterEach, beforeEach, expect, test } from 'vitest';
import { METERS } from '../domain/meter.ts';
import { parsePeriod } from '../domain/period.ts';
import { PLANS } from '../domain/price-book.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { createFreshDatabases, type FreshDatabases } from '../platform/testing/fresh-databases.ts';
import { createAccounts, type Accounts } from './door.ts';
import type { AccountTables } from './tables.ts';

const october = parsePeriod('2026-10');
const november = parsePeriod('2026-11');
const middleMs = Date.UTC(2026, 9, 15, 9);
const nextHourMs = middleMs + 3_600_000;
const createdAtMs = Date.UTC(2026, 8, 1);
let databases: FreshDatabases;
let db: Postgres<AccountTables>;
let accounts: Accounts;

beforeEach(async () => {
  databases = await createFreshDatabases('agreements');
  db = createPostgres<AccountTables>(databases.postgresUrl);
  accounts = createAccounts(db);
  await accounts.register({
    id: 'acme',
    currency: 'usd',
    createdAtMs,
    planId: 'developer',
    contracts: [],
    namespaces: ['pay.acme'],
  });
});
afterEach(async () => {
  await db.destroy();
  await databases.close();
});

/** More than a double can hold. */
const huge = 2n ** 80n + 1n;
const grant = (id: string, amountMinor: bigint) => ({
  id,
  amountMinor,
  priority: 1,
  effectiveAtMs: createdAtMs,
  expiresAtMs: null,
});
const changes = {
  account: 'acme',
  plans: [{ effectiveFromMs: middleMs, value: 'business' as const }],
  contracts: [{ meter: 'actions' as const, effectiveFromMs: nextHourMs, tiers: PLANS.developer.prices.actions.tiers }],
  fees: [{ effectiveFromMs: november.startAtMs, minimumMinor: huge, basisPoints: 750n }],
  standings: [{ effectiveFromMs: november.startAtMs, value: 'paused' as const }],
  discounts: [
    { effectiveFromMs: createdAtMs, value: { kind: 'percent' as const, basisPoints: 1_250n } },
    { effectiveFromMs: november.startAtMs, value: { kind: 'amount' as const, amountMinor: huge } },
  ],
  taxes: [
    { effectiveFromMs: createdAtMs, value: 1_900n },
    { effectiveFromMs: november.startAtMs, value: null },
  ],
  commitments: [{ effectiveFromMs: createdAtMs, value: huge }],
  grants: [grant('prepaid', huge)],
};

test('what was agreed comes back to the last digit, for each period by what was in force in it', async () => {
  await accounts.registerAgreement(changes);
  const inOctober = await accounts.fetchAgreement('acme', october);
  const inNovember = await accounts.fetchAgreement('acme', november);
  expect(inOctober).toMatchObject({
    account: 'acme',
    currency: 'usd',
    discount: { kind: 'percent', basisPoints: 1_250n },
    taxBasisPoints: 1_900n,
    commitmentMinor: huge,
    grants: [{ id: 'prepaid', remainingMinor: huge }],
    state: 'active',
  });
  expect(inOctober.segments.map(({ startAtMs, terms }) => [startAtMs, terms.planId, terms.prices.actions.id])).toEqual([
    [october.startAtMs, 'developer', 'actions-developer-2026-01'],
    [middleMs, 'business', 'actions-business-2026-01'],
    [nextHourMs, 'business', 'actions-contract-acme-2026-10-15'],
  ]);
  expect(inNovember).toMatchObject({
    discount: { kind: 'amount', amountMinor: huge },
    taxBasisPoints: null,
    state: 'paused',
    segments: [{ standing: 'paused', terms: { fee: { minimumMinor: huge, basisPoints: 750n } } }],
  });
  expect(await accounts.fetchAgreements(october)).toEqual([inOctober]);
  expect(await accounts.fetchAgreements(parsePeriod('2026-08'))).toEqual([]);
});

test('an agreement said twice is stored once', async () => {
  await accounts.registerAgreement(changes);
  const before = await accounts.fetchHistories();
  await accounts.registerAgreement(changes);
  expect(await accounts.fetchHistories()).toEqual(before);
});

test('saying something else for an instant is refused, and nothing of it is stored', async () => {
  await accounts.registerAgreement(changes);
  const before = await accounts.fetchHistories();
  const other = { ...changes, grants: [grant('new', 1n), grant('prepaid', 5n)] };
  await expect(accounts.registerAgreement(other)).rejects.toMatchObject({
    code: 'AGREEMENT_CHANGED',
    field: 'credit_grants',
  });
  const twice = { account: 'acme', taxes: [1n, 2n].map((value) => ({ effectiveFromMs: middleMs, value })) };
  await expect(accounts.registerAgreement(twice)).rejects.toMatchObject({ code: 'AGREEMENT_CHANGED' });
  expect(await accounts.fetchHistories()).toEqual(before);
});

test('amounts and times that make no sense are refused in words', async () => {
  const senseless: [string, object][] = [
    ['plans', { plans: [{ effectiveFromMs: middleMs + 1, value: 'business' }] }],
    ['fees', { fees: [{ effectiveFromMs: middleMs, minimumMinor: -1n, basisPoints: 0n }] }],
    ['discounts', { discounts: [{ effectiveFromMs: middleMs, value: { kind: 'percent', basisPoints: 10_001n } }] }],
    ['taxes', { taxes: [{ effectiveFromMs: middleMs, value: -1n }] }],
    ['commitments', { commitments: [{ effectiveFromMs: middleMs, value: -1n }] }],
    ['grants', { grants: [grant('empty', 0n)] }],
    ['grants', { grants: [{ ...grant('past', 1n), expiresAtMs: createdAtMs }] }],
    ['grants', { grants: [{ ...grant('eager', 1n), priority: 101 }] }],
    ['account', { account: 'nobody' }],
  ];
  for (const [field, parts] of senseless) {
    const agreed = accounts.registerAgreement({ account: 'acme', ...parts });
    await expect(agreed).rejects.toMatchObject({ kind: 'rejected', code: 'AGREEMENT_INVALID', field });
  }
});

test('an account in yen can change to a plan with a minimum only if the minimum is agreed in yen', async () => {
  const tiersOf = (meter: (typeof METERS)[number]) => PLANS.developer.prices[meter].tiers;
  const contracts = METERS.map((meter) => ({ meter, effectiveFromMs: createdAtMs, tiers: tiersOf(meter) }));
  const yen = {
    id: 'kiri',
    currency: 'jpy' as const,
    createdAtMs,
    planId: 'developer' as const,
    contracts,
    namespaces: [],
  };
  await accounts.register(yen);
  const plans = [{ effectiveFromMs: middleMs, value: 'business' as const }];
  await expect(accounts.registerAgreement({ account: 'kiri', plans })).rejects.toMatchObject({
    code: 'CURRENCY_UNPRICED',
    next: expect.stringContaining('a contract fee in jpy') as string,
  });
  const fees = [{ effectiveFromMs: middleMs, minimumMinor: 70_000n, basisPoints: 1_000n }];
  await accounts.registerAgreement({ account: 'kiri', plans, fees });
  const { segments } = await accounts.fetchAgreement('kiri', november);
  expect(segments.map(({ terms }) => terms.fee.minimumMinor)).toEqual([70_000n]);
});

test('terms at a time stay what they are for accounts with changes inside a month', async () => {
  await accounts.registerAgreement(changes);
  const terms = async (atMs: number) =>
    (await accounts.fetchAccount('acme', { existingAtMs: atMs, termsAtMs: atMs })).terms;
  expect((await terms(october.startAtMs)).planId).toBe('developer');
  expect((await terms(november.startAtMs)).prices.actions.id).toBe('actions-contract-acme-2026-10-15');
});

test('credit used by a period is replaced when the period is billed again, and found by later ones only', async () => {
  await accounts.registerAgreement({ account: 'acme', grants: [grant('prepaid', 100n)] });
  await accounts.recordCreditUse('acme', october, [{ grantId: 'prepaid', amountMinor: 70n }]);
  await accounts.recordCreditUse('acme', october, [{ grantId: 'prepaid', amountMinor: 60n }]);
  const left = async (period: typeof october) =>
    (await accounts.fetchAgreement('acme', period)).grants[0]?.remainingMinor;
  expect([await left(october), await left(november)]).toEqual([100n, 40n]);
  await expect(accounts.recordCreditUse('acme', november, [{ grantId: 'prepaid', amountMinor: 41n }])).rejects.toThrow(
    'grant prepaid of acme paid 101 of its 100',
  );
  await accounts.recordCreditUse('acme', october, []);
  expect(await left(november)).toBe(100n);
});
