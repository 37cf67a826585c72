// The repairs in the database. Every change is one transaction: where the repair stands, what that means for its case, and
// the audit entry. Who may do what is decided here and held once more by the tables themselves.

import { canonicalJson, sha256 } from '../../domain/canonical.ts';
import { TrueupError, type ErrorCode } from '../../domain/contracts/errors.ts';
import { decidePermission, type Actor, type Permission } from '../../domain/contracts/permissions.ts';
import { appendAudit, inAuditedTransaction, type ReconcileTx } from '../audit-log/log.ts';
import { fetchCase, recordCaseEvent } from '../cases/book.ts';
import type { CaseEvent } from '../cases/states.ts';
import { checkUnlocked } from '../sign-off/book.ts';
import type { ReconcileDb } from '../store/db.ts';
import type { RepairState, RepairTables } from '../store/repair-tables.ts';
import type { RepairPlan } from './plan.ts';
import { fetchRepair, type Repair } from './stored.ts';

export type NewRepair = {
  readonly plan: RepairPlan;
  readonly bulkId: string | null;
  readonly atMs: number;
};

/** The hash that an approval names. */
export function computePlanHash(plan: RepairPlan): string {
  return sha256(canonicalJson(plan));
}

/**
 * Stores a plan and returns the repair's id. Throws `rejected` NOT_PERMITTED or PERIOD_LOCKED, `conflict` CASE_STATE or
 * REPAIR_STATE.
 */
export async function insertRepair(db: ReconcileDb, actor: Actor, repair: NewRepair): Promise<string> {
  requirePermission(actor, 'repair.plan');
  return inAuditedTransaction(db, async (tx) => insertPlanned(tx, actor, repair));
}

/** The same within a larger change. */
export async function insertPlanned(tx: ReconcileTx, actor: Actor, repair: NewRepair): Promise<string> {
  const { plan, bulkId, atMs } = repair;
  await checkUnlocked(tx, plan.period);
  const earlier = await tx
    .selectFrom('repairs')
    .select(['repair_id', 'state'])
    .where('case_id', '=', plan.caseId)
    .execute();
  const underWay = earlier.find(({ state }) => state !== 'verified' && state !== 'dropped');
  if (underWay !== undefined) {
    throw conflict(
      'REPAIR_STATE',
      `case ${plan.caseId} has a repair under way, ${underWay.repair_id}`,
      'drop it first',
    );
  }
  const repairId = `${plan.caseId}-r${earlier.length + 1}`;
  const text = canonicalJson(plan);
  await tx
    .insertInto('repairs')
    .values({
      repair_id: repairId,
      case_id: plan.caseId,
      bulk_id: bulkId,
      period: plan.period,
      account: plan.account,
      code: plan.code,
      meter: plan.meter ?? '',
      currency: plan.currency,
      kind: plan.kind,
      state: 'planned',
      plan: text,
      plan_hash: sha256(text),
      amount_minor: plan.amountMinor,
      planned_by: actor.id,
      planned_at: new Date(atMs),
    })
    .execute();
  const steps = plan.steps.map(({ action }, ordinal) => ({ repair_id: repairId, ordinal, action }));
  if (steps.length > 0) await tx.insertInto('repair_steps').values(steps).execute();
  await note(tx, { actor: actor.id, action: 'planned', repairId, atMs, details: { planHash: sha256(text) } });
  const event = { kind: 'repair-planned', repair: repairId } as const;
  if (bulkId === null) await recordCaseEvent(tx, actor.id, { caseId: plan.caseId, event, atMs });
  return repairId;
}

export type Act = { readonly repairId: string; readonly atMs: number };

/** Approves exactly the plan of this hash. Throws `rejected` NOT_PERMITTED, also for who planned it, or PERIOD_LOCKED. */
export async function approveRepair(db: ReconcileDb, actor: Actor, act: Act & { planHash: string }): Promise<void> {
  requirePermission(actor, 'repair.approve');
  await inAuditedTransaction(db, async (tx) => approve(tx, actor, act));
}

export async function approve(tx: ReconcileTx, actor: Actor, act: Act & { planHash: string }): Promise<void> {
  const { repairId, planHash, atMs } = act;
  const repair = await lockRepair(tx, repairId);
  requireState(repair, ['planned'], 'approved');
  await checkUnlocked(tx, repair.plan.period);
  if (repair.planHash !== planHash) {
    throw conflict(
      'REPAIR_STALE',
      `${repairId} is the plan ${repair.planHash}, approved was ${planHash}`,
      'look again',
    );
  }
  if (repair.plannedBy === actor.id) throw notPermitted(`${actor.id} planned ${repairId}: somebody else approves it`);
  await move(tx, repairId, { state: 'approved', approved_by: actor.id, approved_at: new Date(atMs) });
  await note(tx, { actor: actor.id, action: 'approved', repairId, atMs, details: { planHash } });
}

/** Gives a repair up before anything of it was done. */
export async function dropRepair(db: ReconcileDb, actor: Actor, act: Act & { reason: string }): Promise<void> {
  requirePermission(actor, 'repair.plan');
  await inAuditedTransaction(db, async (tx) => drop(tx, actor, act));
}

/** The same within a larger change. */
export async function drop(tx: ReconcileTx, actor: Actor, act: Act & { reason: string }): Promise<void> {
  const { repairId, reason, atMs } = act;
  if (reason.trim() === '') throw refused('dropping a repair needs a reason');
  const repair = await lockRepair(tx, repairId);
  requireState(repair, ['planned', 'approved'], 'dropped');
  const dropped = { dropped_by: actor.id, dropped_at: new Date(atMs), dropped_reason: reason };
  await move(tx, repairId, { state: 'dropped', ...dropped });
  await note(tx, { actor: actor.id, action: 'dropped', repairId, atMs, details: { reason } });
  await tellCase(tx, { repair, actor: actor.id, atMs, event: { kind: 'repair-dropped', repair: repairId, reason } });
}

/** From here on the biller may have been changed. One that began before stays as it is. Throws `rejected` PERIOD_LOCKED. */
export async function recordBegun(db: ReconcileDb, actor: Actor, { repairId, atMs }: Act): Promise<void> {
  requirePermission(actor, 'repair.apply');
  await inAuditedTransaction(db, async (tx) => {
    const repair = await lockRepair(tx, repairId);
    requireState(repair, ['approved', 'applying', 'applied', 'verified'], 'applied');
    await checkUnlocked(tx, repair.plan.period);
    if (repair.state !== 'approved') return;
    await move(tx, repairId, { state: 'applying', applied_by: actor.id, applying_at: new Date(atMs) });
    await note(tx, { actor: actor.id, action: 'begun', repairId, atMs, details: {} });
  });
}

/** A step is recorded once, whoever did it. */
export async function recordStep(
  db: ReconcileDb,
  actor: Actor,
  { repairId, ordinal, effect, atMs }: Act & { ordinal: number; effect: string },
): Promise<void> {
  await inAuditedTransaction(db, async (tx) => {
    const done = await tx
      .updateTable('repair_steps')
      .set({ effect, done_at: new Date(atMs) })
      .where('repair_id', '=', repairId)
      .where('ordinal', '=', ordinal)
      .where('effect', 'is', null)
      .returning('action')
      .executeTakeFirst();
    if (done === undefined) return;
    const details = { ordinal, step: done.action, effect };
    await note(tx, { actor: actor.id, action: 'step', repairId, atMs, details });
  });
}

/** All steps are done and read back; `problem` says what did not hold. */
export async function recordOutcome(
  db: ReconcileDb,
  actor: Actor,
  { repairId, problem, atMs }: Act & { problem: string | null },
): Promise<void> {
  await inAuditedTransaction(db, async (tx) => {
    const repair = await lockRepair(tx, repairId);
    if (repair.state === 'verified') return;
    if (repair.state === 'applying') await move(tx, repairId, { state: 'applied' });
    if (problem !== null) {
      if (problem !== repair.problem)
        await note(tx, { actor: actor.id, action: 'problem', repairId, atMs, details: { problem } });
      await move(tx, repairId, { problem });
      return;
    }
    await move(tx, repairId, { state: 'verified', problem: null, verified_at: new Date(atMs) });
    await note(tx, { actor: actor.id, action: 'verified', repairId, atMs, details: {} });
    const { kind, reason } = repair.plan;
    const event: CaseEvent =
      kind === 'write_off' ? { kind: 'written-off', reason } : { kind: 'repaired', repair: repairId };
    await tellCase(tx, { repair, actor: actor.id, atMs, event });
  });
}

/** A case that a run closed meanwhile stays closed. */
async function tellCase(
  tx: ReconcileTx,
  of: { repair: Repair; actor: string; atMs: number; event: CaseEvent },
): Promise<void> {
  const { bulkId, plan } = of.repair;
  if (bulkId !== null) return;
  const { state } = await fetchCase(tx, plan.caseId);
  if (state === 'repair-planned') await recordCaseEvent(tx, of.actor, { ...of, caseId: plan.caseId });
}

async function lockRepair(tx: ReconcileTx, repairId: string): Promise<Repair> {
  await tx.selectFrom('repairs').select('repair_id').where('repair_id', '=', repairId).forUpdate().execute();
  return fetchRepair(tx, repairId);
}

async function move(tx: ReconcileTx, repairId: string, to: Partial<RepairTables['repairs']>): Promise<void> {
  await tx.updateTable('repairs').set(to).where('repair_id', '=', repairId).execute();
}

type Note = {
  readonly actor: string;
  readonly action: string;
  readonly repairId: string;
  readonly atMs: number;
  readonly details: Readonly<Record<string, string | number>>;
};

async function note(tx: ReconcileTx, { actor, action, repairId, atMs, details }: Note): Promise<void> {
  await appendAudit(tx, [{ atMs, actor, action: `repair.${action}`, subject: repairId, details }]);
}

export function requirePermission(actor: Actor, permission: Permission): void {
  const decided = decidePermission(actor, permission);
  if (!decided.granted) throw notPermitted(decided.why);
}

function requireState({ repairId, state }: Repair, from: readonly RepairState[], to: string): void {
  if (from.includes(state)) return;
  throw conflict('REPAIR_STATE', `${repairId} is ${state} and can't be ${to}`, 'see trueup repair show');
}

function notPermitted(message: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'NOT_PERMITTED', message });
}

function refused(message: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'REPAIR_REFUSED', message });
}

function conflict(code: ErrorCode, message: string, next: string): TrueupError {
  return new TrueupError({ kind: 'conflict', code, message, next });
}
