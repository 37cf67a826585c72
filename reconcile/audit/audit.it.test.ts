import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { HOUR_MS, toIso } from '../../domain/period.ts';
import { createStripeAudit } from '../billing/stripe-audit.ts';
import { createCloseWorld, type CloseWorld, type WorldAccount } from '../testing/close-world.ts';
import { runAudit } from './audit.ts';
import { readUsageFolder } from './own-usage.ts';

/** The simulator gives a key of this name everything to read and refuses it every write. */
const READ_ONLY_KEY = 'rk_test_readonly';
const business: WorldAccount = {
  name: 'business',
  plan: 'business',
  usage: { actions: 25_000_000n + 112_500_000n, active_storage: 2_000_000n },
};
const dev: WorldAccount = { name: 'dev', plan: 'developer', usage: { actions: 24_000_000n } };
const quantity: WorldAccount = { ...dev, name: 'quantity' };

let world: CloseWorld;
let folder: string;
afterEach(async () => {
  await world.end();
  rmSync(folder, { recursive: true, force: true });
});

/** The world's usage as the audited business would hand it in: by Stripe's customers. */
async function writeUsage(change: (of: { account: string; meter: string; quantity: bigint }) => bigint): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'audit-usage-'));
  const customers = new Map<string, string>();
  for (const name of ['business', 'dev', 'quantity']) customers.set(world.id(name), await world.customer(name));
  const rows = world.usage.hours.map(({ account, meter, hourAtMs, quantity: used }) =>
    [customers.get(account), meter, toIso(hourAtMs + HOUR_MS / 2), change({ account, meter, quantity: used })].join(
      ',',
    ),
  );
  writeFileSync(join(folder, 'usage.csv'), ['customer,meter,time,quantity', ...rows].join('\n'));
}

async function audit() {
  const reader = createStripeAudit({ key: READ_ONLY_KEY, url: process.env['TRUEUP_STRIPE_URL'] });
  const own = new Set(await Promise.all(['business', 'dev', 'quantity'].map(async (name) => world.customer(name))));
  const { usage } = await readUsageFolder(folder, world.period);
  return runAudit({
    // The simulator is shared with other tests' customers.
    audit: {
      ...reader,
      fetchCustomers: async (period) => (await reader.fetchCustomers(period)).filter((id) => own.has(id)),
    },
    usage,
    period: world.period,
    nowMs: world.period.endAtMs + 72 * HOUR_MS,
    codeVersion: 'test',
  });
}

describe('an audit of an existing Stripe account', () => {
  test('ties when own usage is what was charged, with a key that may not write', async () => {
    world = await createCloseWorld([business, dev, quantity]);
    await world.startWorker();
    await world.close();
    await writeUsage((of) => of.quantity);
    const { report, limits } = await audit();
    expect(report.breaks.map(({ code, account, amountMinor }) => [code, account, amountMinor])).toEqual([]);
    expect(report.verdict).toMatchObject({ result: 'clean', accounts: 3, billed: 3, unexplained: 0 });
    expect(limits).toEqual([]);
    expect(readdirSync(folder)).toEqual(['usage.csv']);
  });

  test('names what differs, at the leg where it began, with its money', async () => {
    world = await createCloseWorld([business, dev, quantity]);
    const on = { account: world.id('quantity'), event_name: 'actions' };
    await world.stripe.plant({ kind: 'line_quantity', ...on, delta: '-2000000' });
    await world.startWorker();
    await world.close();
    // The business counted 2,400 actions more in each of dev's hours than ever reached Stripe.
    await writeUsage((of) => (of.account === world.id('dev') ? of.quantity + 24_000n : of.quantity));
    const { report } = await audit();
    const found = report.breaks.map(({ code, account, meter, amountMinor }) => [code, account, meter, amountMinor]);
    expect(found.toSorted(([a], [b]) => ((a ?? '') < (b ?? '') ? -1 : 1))).toEqual([
      ['QTY_MISMATCH', await world.customer('quantity'), 'actions', '1000'],
      ['USAGE_NOT_SENT', await world.customer('dev'), 'actions', '288'],
    ]);
    expect(report.verdict).toMatchObject({ result: 'breaks', unexplained: 0 });
  });

  test('stops at a record it cannot use, with its place', async () => {
    world = await createCloseWorld([dev]);
    folder = mkdtempSync(join(tmpdir(), 'audit-usage-'));
    writeFileSync(join(folder, 'a.csv'), 'customer,meter,time,quantity\ncus_1,actions,2026-10-01T00:00:00Z,1.5\n');
    await expect(readUsageFolder(folder, world.period)).rejects.toThrow(/a\.csv, record 1: quantity "1\.5"/);
  });
});
