import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { createSharedBuckets } from '../../platform/redis.ts';
import { toApplicationFailure } from '../../platform/temporal.ts';
import { createRepairWorld, type RepairWorld } from '../testing/repair-world.ts';
import { createPace } from './pace.ts';
import type { AgreedItem } from './port.ts';
import { createStripeBilling } from './stripe.ts';

let world: RepairWorld;
afterEach(async () => world.end());

const fee = (amountMinor = 500n): AgreedItem => {
  const { ref, invoice, period } = world;
  return { ref, invoice, period, amountMinor, currency: 'usd' };
};
const plant = async (fault: object) =>
  world.stripe.plant({
    kind: 'http',
    method: 'POST',
    path_prefix: '/v1/invoiceitems',
    account: world.ref.account,
    ...fault,
  });
const linesOf = async () => (await world.billing.fetchInvoice(world.invoice)).lines;

describe('what goes wrong with Stripe', () => {
  test.each([
    ['a limit', { status: 429, times: 1 }, 'STRIPE_RATE_LIMITED'],
    ['a request in progress', { status: 409, times: 1 }, 'STRIPE_IN_PROGRESS'],
    ['a lost reply', { drop_reply_after_commit: true, times: 2 }, 'STRIPE_UNAVAILABLE'],
  ])('%s is tried again by Temporal with the same key, and takes effect once', async (_what, fault, code) => {
    world = await createRepairWorld();
    await plant(fault);
    const failed = await world.billing.ensurePlanFee(fee()).catch(toApplicationFailure);
    expect(failed).toMatchObject({ type: code, nonRetryable: false });
    expect(await world.billing.ensurePlanFee(fee())).toBe(500n);
    expect((await linesOf()).filter(({ kind }) => kind === 'plan_fee')).toMatchObject([{ amountMinor: 500n }]);
  });

  test('a stored server error costs its key and nothing else', async () => {
    world = await createRepairWorld();
    await plant({ status: 500, times: 1 });
    expect(await world.billing.ensurePlanFee(fee())).toBe(500n);
    expect((await linesOf()).filter(({ kind }) => kind === 'plan_fee')).toHaveLength(1);
  });

  test.each([
    ['a key that is wrong', 'sk_test', 'STRIPE_AUTHENTICATION'],
    ['a key that may only read', 'rk_test_readonly_1', 'STRIPE_AUTHENTICATION'],
    ['an item of no customer', 'sk_test_1', 'STRIPE_NOT_FOUND'],
  ])('%s is not tried again', async (_what, key, code) => {
    world = await createRepairWorld();
    const billing = createStripeBilling({ key, url: process.env['TRUEUP_STRIPE_URL'] });
    const nobody = { ...fee(), ref: { account: 'nobody', customer: 'cus_missing' } };
    const failed = await billing.ensurePlanFee(nobody).catch(toApplicationFailure);
    expect(failed).toMatchObject({ type: code, nonRetryable: true });
  });

  test('the limit of another place is named', async () => {
    world = await createRepairWorld();
    await plant({ status: 429, times: 1 });
    const failed = world.billing.ensurePlanFee(fee());
    await expect(failed).rejects.toMatchObject({ context: { limitedBy: 'global-rate' } });
  });
});

describe('an account at Stripe', () => {
  test('is read with its payments, out-of-band ones told apart, and ties out', async () => {
    world = await createRepairWorld();
    await world.billing.ensurePlanFee(fee());
    await world.finalize();
    await world.stripe.post(`/v1/invoices/${world.invoice}/pay`, { paid_out_of_band: 'true' });
    const { subscriptions, invoices, currency } = await world.billing.fetchAccountBilling(world.ref, world.period);
    expect([currency, subscriptions]).toMatchObject([
      'usd',
      [{ status: 'active', billingMode: 'flexible', collectionPaused: false }],
    ]);
    expect(subscriptions[0]?.items.map(({ priceId }) => priceId)).toContain('actions-developer-2026-01');
    const [invoice] = invoices;
    expect(invoice).toMatchObject({ status: 'paid', totalMinor: 100_500n, amountPaidMinor: 100_500n });
    expect(invoice?.payments).toMatchObject([{ status: 'paid', outOfBand: true, amountMinor: 100_500n }]);
    expect(invoice?.lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0n)).toBe(invoice?.subtotalMinor);
    expect(await world.billing.fetchInvoice(world.invoice)).toEqual(invoice);
  });
});

test('two processes with one bucket in Redis stay below the rate together', async () => {
  world = await createRepairWorld();
  const name = `test-${randomBytes(4).toString('hex')}`;
  const log = createLog('reconcile', 'silent');
  const opened = [0, 1].map(() => createSharedBuckets(process.env['TRUEUP_REDIS_URL'] ?? '', log));
  const options = { name, perSecond: 40, now: () => performance.now(), wait: delay };
  const key = process.env['TRUEUP_STRIPE_KEY'] ?? '';
  const url = process.env['TRUEUP_STRIPE_URL'];
  const billings = opened.map((buckets) =>
    createStripeBilling({ key, url, pace: createPace({ ...options, buckets }) }),
  );
  const startedAt = performance.now();
  await Promise.all(
    billings.flatMap((billing) => Array.from({ length: 25 }, async () => billing.fetchInvoice(world.invoice))),
  );
  // 10 at once, 40 more at 40 a second.
  expect(performance.now() - startedAt).toBeGreaterThan(950);
  for (const buckets of opened) buckets.close();
});
