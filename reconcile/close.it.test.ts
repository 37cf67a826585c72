import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { startClose } from './door.ts';
import { computeReportHash } from './report/hashes.ts';
import type { Report } from './report/types.ts';
import { createCloseWorld, type CloseWorld, type WorldAccount } from './testing/close-world.ts';

const MILLION = 10_000_000n;
let world: CloseWorld;
afterEach(async () => world.end());

const alpha: WorldAccount = {
  name: 'alpha',
  plan: 'business',
  usage: { actions: 25_000_000n + 11n * MILLION + MILLION / 4n, active_storage: 2_000_000n, retained_storage: 5_000n },
};
const beta: WorldAccount = { name: 'beta', plan: 'developer', usage: { actions: 100_000n } };
const dev = (name: string, actions: bigint): WorldAccount => ({ name, plan: 'developer', usage: { actions } });
const firstHour = '2026-10-01T00:00:00Z';

const foundIn = (report: Report) =>
  report.breaks.map(({ code, account, meter, amountMinor }) => [code, account, meter, amountMinor]);

describe('the close of a period', () => {
  test('finalizes what agrees, to the cent of the golden amounts, and reports no difference', async () => {
    // Twelve lines: more than the page of ten that an invoice carries along.
    const gamma: WorldAccount = {
      name: 'gamma',
      plan: 'enterprise',
      usage: { actions: 1_200_000_000n, active_storage: 7_441_000n, retained_storage: 297_601_000n },
    };
    const flat = { upTo: null, unitAmount: { units: 1n, scale: 4 } };
    const delta: WorldAccount = {
      name: 'delta',
      plan: 'developer',
      usage: { actions: 10_000_000n },
      contracts: [{ meter: 'actions', effectiveFromMs: Date.UTC(2026, 9, 1), tiers: [flat] }],
    };
    world = await createCloseWorld([alpha, beta, gamma, delta]);
    await world.startWorker();
    const report = await world.close();
    expect(report.verdict).toMatchObject({ result: 'clean', billed: 4, openBreaks: 0, unexplained: 0 });
    expect(
      report.accounts.map(({ account, totalMinor, invoicedMinor }) => [account, totalMinor, invoicedMinor]),
    ).toEqual([
      [world.id('alpha'), '103088', '103088'],
      [world.id('beta'), '55', '55'],
      [world.id('delta'), '1100', '1100'],
      [world.id('gamma'), '567504', '567504'],
    ]);
    expect(await startClose(world.client, world.period.key)).toBe(false);
  });

  test('finds every planted disagreement once, at the stage where it began, and nothing else', async () => {
    const people = [
      dev('clean', 1_000_000n),
      dev('dropped', 24_000_000n),
      dev('inflated', 24_000_000n),
      dev('quantity', 10_000_000n),
      dev('price', 10_000_000n),
      { ...alpha, name: 'tier' },
      dev('rounding', 25_001_000n),
      dev('missing', 1_000_000n),
      { ...alpha, name: 'late' },
    ];
    world = await createCloseWorld(people);
    const on = (name: string) => ({ account: world.id(name), event_name: 'actions' });
    await world.stripe.plant({ kind: 'drop_meter_event', ...on('dropped'), hour: firstHour });
    await world.stripe.plant({ kind: 'inflate_meter_event', ...on('inflated'), hour: firstHour, add: '500000' });
    await world.stripe.plant({ kind: 'line_quantity', ...on('quantity'), delta: '-2000000' });
    await world.stripe.plant({ kind: 'line_price', ...on('price'), lookup_key: 'actions-business-2026-01' });
    await world.stripe.plant({ kind: 'line_tier', ...on('tier') });
    await world.stripe.plant({ kind: 'line_rounding', ...on('rounding') });
    await world.stripe.plant({ kind: 'skip_invoice', account: world.id('missing') });
    world.usage.late = [
      {
        account: world.id('late'),
        namespace: 'main.late',
        meter: 'active_storage',
        closed: 2_000_000n,
        withLate: 2_100_000n,
      },
      { account: 'ghost', namespace: 'main.ghost', meter: 'actions', closed: 0n, withLate: 200_000n },
    ];
    await world.startWorker();
    const report = await world.close();
    expect(foundIn(report)).toEqual([
      ['INVOICE_MISSING', world.id('missing'), null, '550'],
      ['PRICE_MISMATCH', world.id('price'), 'actions', '5000'],
      ['QTY_MISMATCH', world.id('quantity'), 'actions', '1000'],
      ['ROUNDING', world.id('rounding'), 'actions', '1'],
      ['TIER_MISMATCH', world.id('tier'), 'actions', '-12500'],
      ['USAGE_LATE', world.id('late'), 'active_storage', '420'],
      ['USAGE_NOT_SENT', world.id('dropped'), 'actions', '500'],
      ['USAGE_OVERSENT', world.id('inflated'), 'actions', '-250'],
      ['USAGE_UNATTRIBUTED', 'ghost', 'actions', '100'],
    ]);
    expect(report.verdict).toMatchObject({
      result: 'breaks',
      billed: 6,
      held: 2,
      missing: 1,
      unexplained: 0,
      failed: 0,
    });
    expect(report.breaks.find(({ code }) => code === 'USAGE_NOT_SENT')?.hours).toEqual(['2026-10-01T00:00:00.000Z']);
    expect(report.money.map(({ unexplainedMinor }) => unexplainedMinor)).toEqual(['0']);
    const held = report.invoices.filter(({ status }) => status === 'draft').map(({ account }) => account);
    expect(held).toEqual([world.id('dropped'), world.id('inflated')]);
  });

  test('waits for rollups that trail the barrier', async () => {
    world = await createCloseWorld([beta]);
    world.usage.behind = 2;
    await world.startWorker();
    expect((await world.close()).verdict).toMatchObject({ result: 'clean', billed: 1, unexplained: 0 });
    expect(world.usage.behind).toBe(0);
  });

  test("leaves an account's failure with the account: the others are billed", async () => {
    world = await createCloseWorld([alpha, beta]);
    await world.accounts.recordStripeId(world.id('beta'), 'customer', `cus_gone_${world.id('beta')}`);
    await world.startWorker();
    const report = await world.close();
    expect(report.verdict).toMatchObject({ result: 'breaks', billed: 1, failed: 1, unexplained: 1 });
    expect(report.accounts.find(({ account }) => account === world.id('beta'))).toMatchObject({
      state: 'failed',
      reasons: ['STRIPE_NOT_FOUND'],
      totalMinor: '55',
      invoicedMinor: null,
      unexplainedMinor: '55',
    });
  });

  test('goes on after a dropped reply, a refusal and a stored 500 without doubling anything', async () => {
    world = await createCloseWorld([alpha]);
    const fault = (fields: object) =>
      world.stripe.plant({ kind: 'http', account: world.id('alpha'), times: 1, ...fields });
    await world.startWorker();
    const report = await world.close(async (stage) => {
      if (stage !== 'grace') return;
      await fault({ method: 'POST', path_prefix: '/v1/invoiceitems', drop_reply_after_commit: true });
      await fault({ method: 'POST', path_prefix: '/v1/invoices', status: 500 });
      await fault({ method: 'GET', path_prefix: '/v1/invoices', status: 429 });
      await fault({ method: 'GET', path_prefix: '/v1/billing/meters', status: 500 });
    });
    expect(report.verdict).toMatchObject({ result: 'clean', billed: 1, openBreaks: 0, unexplained: 0 });
    const { data } = (await world.stripe.get('/_admin/faults')) as { data: { fault: { account?: string } }[] };
    expect(data.filter(({ fault }) => fault.account === world.id('alpha'))).toEqual([]);
  });

  test('compares an invoice that somebody else finalized before its usage was there', async () => {
    world = await createCloseWorld([alpha]);
    await world.startWorker();
    const report = await world.close(async (stage) => {
      if (stage !== 'grace') return;
      const { startAtMs } = world.period;
      const asOf = { existingAtMs: startAtMs, termsAtMs: startAtMs };
      const { customer } = (await world.accounts.fetchAccount(world.id('alpha'), asOf)).stripe;
      const { data } = (await world.stripe.get(`/v1/invoices?customer=${customer}`)) as { data: { id: string }[] };
      await world.stripe.post(`/v1/invoices/${data[0]?.id}/finalize`, {});
    });
    expect(foundIn(report)).toEqual([
      ['QTY_MISMATCH', world.id('alpha'), null, '50000'],
      ['QTY_MISMATCH', world.id('alpha'), 'actions', '52500'],
      ['QTY_MISMATCH', world.id('alpha'), 'active_storage', '588'],
      ['QTY_MISMATCH', world.id('alpha'), 'retained_storage', '0'],
    ]);
    expect(report.verdict).toMatchObject({ billed: 1, unexplained: 0 });
  });

  test('gives the same report when its worker is killed at every stage', async () => {
    const people = [alpha, beta, dev('dropped', 24_000_000n), { ...alpha, name: 'tier' }];
    const plant = async () => {
      const dropped = { account: world.id('dropped'), event_name: 'actions', hour: firstHour };
      await world.stripe.plant({ kind: 'drop_meter_event', ...dropped });
      await world.stripe.plant({ kind: 'line_tier', account: world.id('tier'), event_name: 'actions' });
    };
    const anonymous = (report: Report, suffix: string) => {
      const { period, quantities, evidence, ...rest } = report;
      const unnamed = JSON.parse(JSON.stringify(rest).replaceAll(suffix, '')) as Pick<Report, 'accounts' | 'breaks'>;
      return computeReportHash({ ...unnamed, period, quantities, priceBookHash: evidence.priceBookHash });
    };

    world = await createCloseWorld(people);
    await plant();
    await world.startWorker();
    const undisturbed = anonymous(await world.close(), world.id(''));
    await world.end();

    world = await createCloseWorld(people);
    await plant();
    let kill = world.spawnWorker();
    const report = await world.close(async (stage) => {
      const delayMs = { claiming: 3_500, grace: 0, billing: 900, late: 0 }[stage as 'grace'];
      await pause(delayMs);
      await kill();
      kill = world.spawnWorker();
    });
    expect(anonymous(report, world.id(''))).toBe(undisturbed);
    expect(report.verdict).toMatchObject({ billed: 3, held: 1, unexplained: 0 });
  }, 240_000);
});
