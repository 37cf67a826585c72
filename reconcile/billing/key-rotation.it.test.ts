import { afterEach, expect, test } from 'vitest';
import { HOUR_MS } from '../../domain/period.ts';
import { createCloseWorld, type CloseWorld, type WorldAccount } from '../testing/close-world.ts';
import { createStripeBilling } from './stripe.ts';

let world: CloseWorld;
afterEach(async () => world.end());

const dev: WorldAccount = { name: 'dev', plan: 'developer', usage: { actions: 1_000n }, hours: 1 };

test('while a Stripe key is replaced, processes with the old and the new one do each thing once', async () => {
  world = await createCloseWorld([dev]);
  const url = process.env['TRUEUP_STRIPE_URL'] ?? '';
  const [old, fresh] = ['sk_test_old', 'sk_test_new'].map((key) => createStripeBilling({ key, url }));
  if (old === undefined || fresh === undefined) throw new Error('two keys make two ports');
  const account = `${world.id('dev')}-new`;
  const customers = await Promise.all([old.ensureCustomer(account), fresh.ensureCustomer(account)]);
  expect(new Set(customers).size).toBe(1);

  const ref = { account: world.id('dev'), customer: await world.customer('dev') };
  const hourAtMs = world.period.startAtMs;
  await world.advance(hourAtMs + 2 * HOUR_MS);
  const push = async (billing: typeof old, quantity: bigint) =>
    billing.pushHours(ref, [{ meter: 'actions', hourAtMs, quantity }], hourAtMs + HOUR_MS);
  await push(old, 5n);
  await push(fresh, 7n);
  expect(await old.fetchSummary(ref, 'actions', world.period)).toBe(7n);
});
