// Signatures in the database. Each is one transaction with its audit entry, whose hash it binds; the database itself
// refuses a reviewer who prepared, a signer without the role, and any change to what was signed.

import type { Selectable } from 'kysely';
import { TrueupError } from '../../domain/contracts/errors.ts';
import type { Actor } from '../../domain/contracts/permissions.ts';
import { toIso } from '../../domain/period.ts';
import { appendAudit, inAuditedTransaction, type ReconcileTx } from '../audit-log/log.ts';
import type { ReconcileDb } from '../store/db.ts';
import type { ReconcileTables } from '../store/tables.ts';
import {
  computeDeviations,
  computePeriodState,
  decideApprove,
  decidePrepare,
  decideReopen,
  type PeriodState,
  type SignOff,
  type Standing,
} from './decide.ts';
import { fetchStanding } from './standing.ts';

export type SignOffStatus = {
  readonly period: string;
  readonly state: PeriodState;
  readonly signOff: SignOff | null;
  /** Why the signature doesn't hold any more; empty when it does, or there is none. */
  readonly deviations: readonly string[];
  readonly standing: Standing;
};

export async function fetchSignOffStatus(db: ReconcileDb, period: string): Promise<SignOffStatus> {
  const [standing, signOff] = await Promise.all([fetchStanding(db, period), fetchSignOff(db, period)]);
  const deviations = signOff === null ? [] : computeDeviations(signOff, standing);
  return { period, state: computePeriodState(standing, signOff), signOff, deviations, standing };
}

type Act = { readonly period: string; readonly atMs: number };

/** The preparer's signature. One that no longer holds is ended by it. Throws `rejected` SIGN_OFF_STATE. */
export async function prepareSignOff(
  db: ReconcileDb,
  actor: Actor,
  { period, atMs, despite }: Act & { readonly despite: string | null },
): Promise<SignOff> {
  return inAuditedTransaction(db, async (tx) => {
    const [standing, before] = [await fetchStanding(tx, period), await fetchSignOff(tx, period)];
    const decided = decidePrepare(actor, { standing, signOff: before, despite });
    if (!decided.ok) throw refused(period, decided.why);
    if (before !== null) {
      const reason = `signed again, because ${computeDeviations(before, standing).join('; ')}`;
      await end(tx, before, { actor, atMs, reason });
    }
    const { signed } = decided;
    const details = { ...signed, role: 'preparer', despite };
    const entry = { atMs, actor: actor.id, action: 'sign-off.prepared', subject: period, details };
    const anchor = await appendAudit(tx, [entry]);
    await tx
      .insertInto('sign_offs')
      .values({
        period,
        run: signed.run,
        report_hash: signed.reportHash,
        evidence_hash: signed.evidenceHash,
        cases_hash: signed.casesHash,
        prepared_by: actor.id,
        prepared_at: new Date(atMs),
        note: despite,
        prepared_audit_sequence: anchor.sequence.toString(),
        prepared_audit_hash: anchor.hash,
      })
      .execute();
    return mustFind(tx, period);
  });
}

/** The reviewer's signature: the period is locked from then on. Throws `rejected` SIGN_OFF_STATE. */
export async function approveSignOff(db: ReconcileDb, actor: Actor, { period, atMs }: Act): Promise<SignOff> {
  return inAuditedTransaction(db, async (tx) => {
    const [standing, signOff] = [await fetchStanding(tx, period), await fetchSignOff(tx, period)];
    const decided = decideApprove(actor, { standing, signOff });
    if (!decided.ok) throw refused(period, decided.why);
    const { id, run, reportHash, evidenceHash, casesHash, preparedBy } = decided.signOff;
    const details = { run, reportHash, evidenceHash, casesHash, preparedBy, role: 'reviewer' };
    const entry = { atMs, actor: actor.id, action: 'sign-off.approved', subject: period, details };
    const anchor = await appendAudit(tx, [entry]);
    await tx
      .updateTable('sign_offs')
      .set({
        approved_by: actor.id,
        approved_at: new Date(atMs),
        approved_audit_sequence: anchor.sequence.toString(),
        approved_audit_hash: anchor.hash,
      })
      .where('id', '=', id)
      .execute();
    return mustFind(tx, period);
  });
}

/** Ends the sign-off, so that runs, cases and repairs of the period are possible again. Throws `rejected` SIGN_OFF_STATE. */
export async function reopenPeriod(
  db: ReconcileDb,
  actor: Actor,
  { period, atMs, reason }: Act & { readonly reason: string },
): Promise<void> {
  await inAuditedTransaction(db, async (tx) => {
    const decided = decideReopen(actor, { period, signOff: await fetchSignOff(tx, period), reason });
    if (!decided.ok) throw refused(period, decided.why);
    await end(tx, decided.signOff, { actor, atMs, reason });
  });
}

async function end(
  tx: ReconcileTx,
  { id, period, run }: SignOff,
  { actor, atMs, reason }: { readonly actor: Actor; readonly atMs: number; readonly reason: string },
): Promise<void> {
  const set = { ended_by: actor.id, ended_at: new Date(atMs), ended_reason: reason };
  await tx.updateTable('sign_offs').set(set).where('id', '=', id).execute();
  const entry = { atMs, actor: actor.id, action: 'sign-off.ended', subject: period, details: { run, reason } };
  await appendAudit(tx, [entry]);
}

/** The sign-off in force; null while there is none. */
export async function fetchSignOff(db: ReconcileDb, period: string): Promise<SignOff | null> {
  const row = await db
    .selectFrom('sign_offs')
    .selectAll()
    .where('period', '=', period)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return row === undefined ? null : fromRow(row);
}

/** For whoever changes what a locked period holds: runs, repairs. Throws `rejected` PERIOD_LOCKED. */
export async function checkUnlocked(db: ReconcileDb, period: string): Promise<void> {
  const approved = (await fetchSignOff(db, period))?.approved ?? null;
  if (approved === null) return;
  throw new TrueupError({
    kind: 'rejected',
    code: 'PERIOD_LOCKED',
    message: `period ${period} was approved by ${approved.by} at ${toIso(approved.atMs)} and is locked`,
    next: 'reopen it with trueup sign-off reopen',
  });
}

async function mustFind(tx: ReconcileTx, period: string): Promise<SignOff> {
  const found = await fetchSignOff(tx, period);
  if (found === null) throw refused(period, 'the sign-off is gone');
  return found;
}

function fromRow(row: Selectable<ReconcileTables['sign_offs']>): SignOff {
  const { approved_by: by, approved_at: at, approved_audit_sequence: sequence, approved_audit_hash: hash } = row;
  return {
    id: row.id,
    period: row.period,
    run: row.run,
    reportHash: row.report_hash,
    evidenceHash: row.evidence_hash,
    casesHash: row.cases_hash,
    preparedBy: row.prepared_by,
    preparedAtMs: row.prepared_at.getTime(),
    note: row.note,
    preparedEntry: { sequence: row.prepared_audit_sequence, hash: row.prepared_audit_hash },
    approved:
      by === null || at === null || sequence === null || hash === null
        ? null
        : { by, atMs: at.getTime(), entry: { sequence, hash } },
  };
}

function refused(period: string, why: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'SIGN_OFF_STATE', message: `${period}: ${why}` });
}
