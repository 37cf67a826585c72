import { afterEach, expect, test } from 'vitest';
import { termsAt } from '../../domain/price-book.ts';
import { verifyAuditLog } from '../audit-log/check.ts';
import type { Billing } from '../billing/port.ts';
import { createRepairWorld, type RepairWorld } from '../testing/repair-world.ts';
import { applyBulk, approveBulk, insertBulk } from './bulk-book.ts';
import { computeRerating, planBulk, type BulkAccount } from './bulk.ts';
import { fetchRepairs } from './stored.ts';

let world: RepairWorld;
afterEach(async () => world.end());

const bulkId = 'half-price';

/** October of the world's account again at half the price: a dry run. */
async function planHalfPrice() {
  const { period, ref, billing } = world;
  const terms = termsAt(ref.account, 'developer', [], period.startAtMs);
  const closed = { actions: 200_000_000n, active_storage: 0n, retained_storage: 0n };
  const half = { upTo: null, unitAmount: { units: 25n, scale: 5 } };
  const contract = { meter: 'actions' as const, effectiveFromMs: period.startAtMs, tiers: [half] };
  const money = computeRerating(
    [{ account: ref.account, currency: 'usd', terms, closed } satisfies BulkAccount],
    (of) => termsAt(of.account, 'developer', [contract], period.startAtMs),
  );
  return planBulk({
    bulkId,
    period,
    reason: 'agreed in September, entered in November',
    money,
    billing: new Map([[ref.account, await billing.fetchAccountBilling(ref, period)]]),
    nowMs: period.endAtMs,
  });
}

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
