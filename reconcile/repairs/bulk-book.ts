// Bulk corrections in the database: planned, approved and applied as the ordinary repairs they consist of. Planning and
// approving are one transaction each; applying may die anywhere and is resumed by applying again.

import { canonicalJson, type Canonical } from '../../domain/canonical.ts';
import { TrueupError } from '../../domain/contracts/errors.ts';
import type { Actor } from '../../domain/contracts/permissions.ts';
import { parsePeriod, type Period } from '../../domain/period.ts';
import { forEachAtOnce } from '../activities/at-once.ts';
import { appendAudit, inAuditedTransaction } from '../audit-log/log.ts';
import type { ReconcileDb } from '../store/db.ts';
import { applyRepair, type RepairDeps } from './apply.ts';
import { approve, computePlanHash, drop, insertPlanned, requirePermission } from './book.ts';
import { computeBulkHash, plansOf, type BulkPlan } from './bulk.ts';
import { fetchRepairs, type Repair } from './stored.ts';

const AT_ONCE = 4;

export type NewBulk = {
  readonly bulk: BulkPlan;
  /** What was selected, as it is to be read years later. */
  readonly selection: Canonical;
  readonly atMs: number;
};

/** Stores a dry run for approval and returns its hash. Throws `rejected` REPAIR_REFUSED when it holds nothing to do. */
export async function insertBulk(db: ReconcileDb, actor: Actor, { bulk, selection, atMs }: NewBulk): Promise<string> {
  requirePermission(actor, 'repair.plan');
  const plans = plansOf(bulk);
  if (plans.length === 0) throw refused(`bulk correction ${bulk.bulkId} changes no account's money`);
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(bulk.bulkId)) throw refused(`"${bulk.bulkId}" can't name a bulk correction`);
  const hash = computeBulkHash(plans.map(computePlanHash));
  await inAuditedTransaction(db, async (tx) => {
    const row = {
      bulk_id: bulk.bulkId,
      period: bulk.period,
      selection: canonicalJson(selection),
      reason: bulk.reason,
      planned_by: actor.id,
      planned_at: new Date(atMs),
    };
    const inserted = await tx
      .insertInto('bulk_corrections')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .returning('bulk_id')
      .executeTakeFirst();
    if (inserted === undefined) throw exists(bulk.bulkId);
    const corrected = await fetchCorrected(tx, parsePeriod(bulk.period));
    const again = plans.find(({ account }) => corrected.has(account));
    if (again !== undefined) {
      throw refused(`${again.account} is corrected by ${corrected.get(again.account)} for ${bulk.period} already`);
    }
    const details = { selection, reason: bulk.reason, repairs: plans.length, hash };
    await appendAudit(tx, [{ atMs, actor: actor.id, action: 'bulk.planned', subject: bulk.bulkId, details }]);
    for (const plan of plans) await insertPlanned(tx, actor, { plan, bulkId: bulk.bulkId, atMs });
  });
  return hash;
}

export type BulkAct = { readonly bulkId: string; readonly atMs: number };

/** Approves every repair of a bulk correction, if together they are what `hash` names. */
export async function approveBulk(db: ReconcileDb, actor: Actor, act: BulkAct & { hash: string }): Promise<void> {
  const { bulkId, hash, atMs } = act;
  requirePermission(actor, 'repair.approve');
  await inAuditedTransaction(db, async (tx) => {
    const found = await fetchBulk(tx, bulkId);
    if (found.hash !== hash) {
      const message = `bulk correction ${bulkId} is ${found.hash}, approved was ${hash}`;
      throw new TrueupError({ kind: 'conflict', code: 'REPAIR_STALE', message, next: 'look again' });
    }
    const standing = found.repairs.filter(({ state }) => state !== 'dropped');
    for (const { repairId, planHash } of standing) await approve(tx, actor, { repairId, planHash, atMs });
  });
}

/** Gives up what of it was not begun, and says how many repairs that were. */
export async function dropBulk(db: ReconcileDb, actor: Actor, act: BulkAct & { reason: string }): Promise<number> {
  const { bulkId, reason, atMs } = act;
  requirePermission(actor, 'repair.plan');
  return inAuditedTransaction(db, async (tx) => {
    const { repairs } = await fetchBulk(tx, bulkId);
    const open = repairs.filter(({ state }) => state === 'planned' || state === 'approved');
    for (const { repairId } of open) await drop(tx, actor, { repairId, reason, atMs });
    return open.length;
  });
}

export type StoredBulk = {
  readonly bulkId: string;
  readonly period: string;
  readonly reason: string;
  /** Canonical JSON of what was selected. */
  readonly selection: string;
  readonly plannedBy: string;
  /** What an approval names: over all that is not dropped. */
  readonly hash: string;
  readonly repairs: readonly Repair[];
};

/** Throws `rejected` REPAIR_UNKNOWN. */
export async function fetchBulk(db: ReconcileDb, bulkId: string): Promise<StoredBulk> {
  const row = await db.selectFrom('bulk_corrections').selectAll().where('bulk_id', '=', bulkId).executeTakeFirst();
  if (row === undefined) {
    const message = `there is no bulk correction ${bulkId}`;
    throw new TrueupError({ kind: 'rejected', code: 'REPAIR_UNKNOWN', message, next: 'see trueup repair list' });
  }
  const repairs = await fetchRepairs(db, { bulkId });
  const standing = repairs.filter(({ state }) => state !== 'dropped');
  return {
    bulkId,
    period: row.period,
    reason: row.reason,
    selection: row.selection,
    plannedBy: row.planned_by,
    hash: computeBulkHash(standing.map(({ planHash }) => planHash)),
    repairs,
  };
}

/** By account: the bulk correction of a period that stands for it. One at most, since their money depends on each other. */
export async function fetchCorrected(db: ReconcileDb, { key }: Period): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('repairs')
    .select(['account', 'bulk_id'])
    .where('period', '=', key)
    .where('bulk_id', 'is not', null)
    .where('state', '<>', 'dropped')
    .execute();
  return new Map(rows.map((row) => [row.account, row.bulk_id ?? '']));
}

export type BulkOutcome = { readonly repairId: string; readonly account: string; readonly problem: string | null };

/** Applies what is approved and not done yet. One account's failure is that account's outcome and stops no other. */
export async function applyBulk(
  deps: RepairDeps,
  actor: Actor,
  { bulkId, onRepair }: { bulkId: string; onRepair?: (done: number, total: number) => void },
): Promise<BulkOutcome[]> {
  const repairs = (await fetchRepairs(deps.db, { bulkId })).filter(({ state }) => state !== 'dropped');
  const outcomes: BulkOutcome[] = [];
  await forEachAtOnce(AT_ONCE, repairs, async (repair) => {
    outcomes.push(await applyEntry(deps, actor, repair));
    onRepair?.(outcomes.length, repairs.length);
  });
  return outcomes.sort((a, b) => (a.account < b.account ? -1 : 1));
}

async function applyEntry(deps: RepairDeps, actor: Actor, { repairId, plan }: Repair): Promise<BulkOutcome> {
  const entry = { repairId, account: plan.account };
  try {
    return { ...entry, problem: (await applyRepair(deps, actor, repairId)).problem };
  } catch (error) {
    if (!(error instanceof TrueupError) || error.kind === 'bug') throw error;
    return { ...entry, problem: error.message };
  }
}

function exists(bulkId: string): TrueupError {
  const message = `there is a bulk correction ${bulkId} already`;
  return new TrueupError({ kind: 'conflict', code: 'REPAIR_STATE', message, next: 'give this one another name' });
}

function refused(message: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'REPAIR_REFUSED', message });
}
