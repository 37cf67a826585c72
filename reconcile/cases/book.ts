// The cases in the database. Every change is one transaction: where the case stands, the event that brought it there, and
// the audit entry. Dying in between leaves none of them.

import type { Selectable } from 'kysely';
import { canonicalJson, sha256, type Canonical } from '../../domain/canonical.ts';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { decidePermission, type Actor } from '../../domain/contracts/permissions.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import { appendAudit, inAuditedTransaction, type ReconcileTx } from '../audit-log/log.ts';
import type { ReconcileDb } from '../store/db.ts';
import type { ReconcileTables } from '../store/tables.ts';
import { PERMISSIONS, mayAccept, type Severity } from './policy.ts';
import { applyCaseEvent, isSettled, reasonOf, type CaseEvent, type CaseState } from './states.ts';

export type Case = {
  readonly caseId: string;
  readonly period: string;
  readonly account: string;
  readonly code: string;
  readonly meter: MeterName | null;
  readonly currency: string;
  readonly state: CaseState;
  readonly owner: string | null;
  readonly severity: Severity;
  readonly dueAtMs: number;
  readonly amountMinor: bigint;
  /** Why it is settled. */
  readonly reason: string | null;
  readonly openedAtMs: number;
  readonly firstRun: string;
  readonly lastRun: string;
};

export type CaseEntry = { readonly atMs: number; readonly actor: string; readonly event: CaseEvent };

/** By due date, then id. */
export async function fetchCases(
  db: ReconcileDb,
  { period, account }: { readonly period?: string; readonly account?: string },
): Promise<Case[]> {
  const rows = await db
    .selectFrom('cases')
    .selectAll()
    .$if(period !== undefined, (query) => query.where('period', '=', period ?? ''))
    .$if(account !== undefined, (query) => query.where('account', '=', account ?? ''))
    .orderBy('due_at')
    .orderBy('case_id')
    .execute();
  return rows.map(fromRow);
}

/** Throws `rejected` CASE_UNKNOWN. */
export async function fetchCase(db: ReconcileDb, caseId: string): Promise<Case & { history: CaseEntry[] }> {
  const row = await db.selectFrom('cases').selectAll().where('case_id', '=', caseId).executeTakeFirst();
  if (row === undefined) throw unknownCase(caseId);
  const events = await db
    .selectFrom('case_events')
    .select(['at', 'actor', 'event'])
    .where('case_id', '=', caseId)
    .orderBy('ordinal')
    .execute();
  return { ...fromRow(row), history: events.map(({ at, ...rest }) => ({ ...rest, atMs: at.getTime() })) };
}

/** Hashes of the stored evidence behind the break, as the case's last run found it. */
export async function fetchCaseEvidence(db: ReconcileDb, of: Case): Promise<string[]> {
  const found = await db
    .selectFrom('breaks')
    .select('evidence')
    .where('run', '=', of.lastRun)
    .where('code', '=', of.code)
    .where('account', '=', of.account)
    .where('meter', '=', of.meter ?? '')
    .execute();
  return [...new Set(found.flatMap(({ evidence }) => evidence))].sort();
}

export type CaseAct = { readonly caseId: string; readonly event: CaseEvent; readonly atMs: number };

/** What a person does to a case. Throws `rejected` NOT_PERMITTED, CASE_STATE, CASE_UNKNOWN or PERIOD_LOCKED. */
export async function actOnCase(db: ReconcileDb, actor: Actor, act: CaseAct): Promise<Case> {
  const permission = PERMISSIONS[act.event.kind];
  const decided =
    permission === null
      ? { granted: false as const, why: `${act.event.kind} is said by runs, not by people` }
      : decidePermission(actor, permission);
  if (!decided.granted) throw notPermitted(decided.why);
  return inAuditedTransaction(db, async (tx) => {
    const { severity } = await fetchCase(tx, act.caseId);
    if ((act.event.kind === 'accepted' || act.event.kind === 'closed') && !mayAccept(actor, severity)) {
      throw notPermitted(`a ${severity} case is settled by a reviewer`);
    }
    return recordCaseEvent(tx, actor.id, act);
  });
}

/** The same within a larger change, such as a repair; whether `actor` may do it is decided before. */
export async function recordCaseEvent(tx: ReconcileTx, actor: string, { caseId, event, atMs }: CaseAct): Promise<Case> {
  const row = await tx.selectFrom('cases').selectAll().where('case_id', '=', caseId).forUpdate().executeTakeFirst();
  if (row === undefined) throw unknownCase(caseId);
  const step = applyCaseEvent(row.state, event);
  if (!step.ok) throw new TrueupError({ kind: 'conflict', code: 'CASE_STATE', message: `${caseId}: ${step.why}` });
  const moved = {
    state: step.state,
    owner: event.kind === 'assigned' ? event.owner : step.state === 'open' ? null : row.owner,
    reason: isSettled(step.state) ? (reasonOf(event) ?? row.reason) : null,
    amount_minor: event.kind === 'amount-changed' ? event.toMinor : row.amount_minor,
  };
  // A remark changes nothing but the history, so that it can be made about a locked period too.
  const changes = Object.entries(moved).some(([column, value]) => value !== Reflect.get(row, column));
  if (changes) await tx.updateTable('cases').set(moved).where('case_id', '=', caseId).execute();
  await appendCaseEvents(tx, [{ caseId, actor, atMs, event }]);
  return fromRow({ ...row, ...moved });
}

/** History and audit entry of events that have been applied. */
export async function appendCaseEvents(
  tx: ReconcileTx,
  events: readonly (CaseEntry & { readonly caseId: string })[],
): Promise<void> {
  const ids = [...new Set(events.map(({ caseId }) => caseId))];
  if (ids.length === 0) return;
  const counted = await tx
    .selectFrom('case_events')
    .select(({ fn }) => ['case_id', fn.max('ordinal').as('last')])
    .where('case_id', 'in', ids)
    .groupBy('case_id')
    .execute();
  const last = new Map(counted.map((row) => [row.case_id, row.last]));
  const rows = events.map(({ caseId, atMs, actor, event }) => {
    const ordinal = (last.get(caseId) ?? 0) + 1;
    last.set(caseId, ordinal);
    return { case_id: caseId, ordinal, at: new Date(atMs), actor, event: JSON.stringify(event) };
  });
  await tx.insertInto('case_events').values(rows).execute();
  const drafts = events.map(({ caseId, atMs, actor, event: { kind, ...details } }) => ({
    atMs,
    actor,
    action: `case.${kind}`,
    subject: caseId,
    details: details as Canonical,
  }));
  await appendAudit(tx, drafts);
}

/** Over where every case of the period stands, so that a signature can bind it. */
export function computeCasesHash(cases: readonly Case[]): string {
  const rows = cases.map(({ caseId, state, owner, amountMinor, reason }): [string, ...Canonical[]] => [
    caseId,
    state,
    owner,
    amountMinor.toString(),
    reason,
  ]);
  return sha256(canonicalJson(rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))));
}

function fromRow(row: Selectable<ReconcileTables['cases']>): Case {
  return {
    caseId: row.case_id,
    period: row.period,
    account: row.account,
    code: row.code,
    meter: METERS.find((meter) => meter === row.meter) ?? null,
    currency: row.currency,
    state: row.state,
    owner: row.owner,
    severity: row.severity,
    dueAtMs: row.due_at.getTime(),
    amountMinor: BigInt(row.amount_minor),
    reason: row.reason,
    openedAtMs: row.opened_at.getTime(),
    firstRun: row.first_run,
    lastRun: row.last_run,
  };
}

function unknownCase(caseId: string): TrueupError {
  const next = 'see trueup cases list';
  return new TrueupError({ kind: 'rejected', code: 'CASE_UNKNOWN', message: `there is no case ${caseId}`, next });
}

function notPermitted(message: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'NOT_PERMITTED', message });
}
