import { afterEach, expect, test } from 'vitest';
import { parseDecimal } from '../../domain/decimal.ts';
import { termsAt } from '../../domain/price-book.ts';
import { verifyAuditLog } from '../audit-log/check.ts';
import type { Billing } from '../billing/port.ts';
import { createRepairWorld, type RepairWorld } from '../testing/repair-world.ts';
import { applyBulk, approveBulk, dropBulk, fetchBulk, insertBulk } from './bulk-book.ts';
import { computeRerating, type BulkAccount } from './bulk-money.ts';
import { planBulk } from './bulk.ts';
import { fetchRepairs } from './stored.ts';

let world: RepairWorld;
afterEach(async () => world.end());

const bulkId = 'half-price';

/** October of the world's account again at half the price: a dry run. */
async function planHalfPrice(name = bulkId) {
  const { period, ref, billing } = world;
  const terms = termsAt(ref.account, 'developer', [], period.startAtMs);
  const account: BulkAccount = {
    agreement: {
      account: ref.account,
      currency: 'usd',
      period,
      segments: [{ startAtMs: period.startAtMs, endAtMs: period.endAtMs, terms, standing: 'active' }],
      discount: null,
      taxBasisPoints: null,
      commitmentMinor: null,
      grants: [],
      state: 'active',
    },
    closed: [{ meter: 'actions', hourAtMs: period.startAtMs, quantity: 200_000_000n }],
  };
  const tiers = [{ upTo: null, unitAmount: parseDecimal('0.00025') }];
  return planBulk({
    bulkId: name,
    period,
    reason: 'agreed in September, entered in November',
    money: computeRerating([account], new Map([['actions', tiers]]), name),
    billing: new Map([[ref.account, await billing.fetchAccountBilling(ref, period)]]),
    barred: new Map(),
    nowMs: period.endAtMs,
  });
}

test('an account is corrected by one bulk correction of a period at a time; one that was dropped makes room', async () => {
  world = await createRepairWorld();
  await world.finalize();
  const { db, pat, period } = world;
  const atMs = period.endAtMs;
  await insertBulk(db, pat, { bulk: await planHalfPrice(), selection: {}, atMs });
  const second = { bulk: await planHalfPrice('again'), selection: {}, atMs };
  await expect(insertBulk(db, pat, second)).rejects.toThrow(`is corrected by ${bulkId} for 2026-10 already`);
  expect(await dropBulk(db, pat, { bulkId, reason: 'the wrong half', atMs })).toBe(1);
  const hash = await insertBulk(db, pat, second);
  expect(await fetchBulk(db, 'again')).toMatchObject({ hash, plannedBy: 'pat', repairs: [{ state: 'planned' }] });
  await expect(fetchBulk(db, 'gone')).rejects.toMatchObject({ code: 'REPAIR_UNKNOWN' });
});

test('a price changed after the fact is approved by another person, killed, resumed and credited once', async () => {
  world = await createRepairWorld();
  await world.finalize();
  const { db, pat, rae, period, deps } = world;
  const atMs = period.endAtMs;
  const bulk = await planHalfPrice();
  expect(bulk.totals).toEqual([{ currency: 'usd', accounts: 1, amountMinor: -55_000n }]);
  const hash = await insertBulk(db, pat, { bulk, selection: { kind: 'rerate' }, atMs });
  await expect(insertBulk(db, pat, { bulk, selection: {}, atMs })).rejects.toMatchObject({ code: 'REPAIR_STATE' });

  expect(await applyBulk(deps, pat, { bulkId })).toMatchObject([
    { problem: expect.stringContaining('planned') as string },
  ]);
  await expect(approveBulk(db, pat, { bulkId, hash, atMs })).rejects.toMatchObject({ code: 'NOT_PERMITTED' });
  await expect(approveBulk(db, rae, { bulkId, hash: 'other', atMs })).rejects.toMatchObject({ code: 'REPAIR_STALE' });
  await approveBulk(db, rae, { bulkId, hash, atMs });

  const dying: Billing = {
    ...world.billing,
    creditInvoice: async (credit) => {
      await world.billing.creditInvoice(credit);
      throw new Error('killed');
    },
  };
  await expect(applyBulk({ ...deps, billing: dying }, pat, { bulkId })).rejects.toThrow('killed');
  expect(await applyBulk(deps, pat, { bulkId })).toMatchObject([{ problem: null }]);
  expect(await applyBulk(deps, pat, { bulkId })).toMatchObject([{ problem: null }]);

  const { invoices } = await world.billing.fetchAccountBilling(world.ref, period);
  expect(invoices.flatMap(({ creditNotes }) => creditNotes)).toMatchObject([
    { amountMinor: 55_000n, caseId: `2026-10.${world.ref.account}.BULK-${bulkId}.usd` },
  ]);
  expect(await fetchRepairs(db, { bulkId })).toMatchObject([
    { state: 'verified', plannedBy: 'pat', approvedBy: 'rae' },
  ]);
  expect((await verifyAuditLog(db, [])).faults).toEqual([]);
});
