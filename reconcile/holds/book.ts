// Holds in the database. Setting and releasing one is one transaction with its audit entry; whoever is about to push or
// finalize reads them afresh.

import type { Selectable } from 'kysely';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { decidePermission, type Actor, type Permission } from '../../domain/contracts/permissions.ts';
import { toIso } from '../../domain/period.ts';
import { appendAudit, inAuditedTransaction } from '../audit-log/log.ts';
import type { ReconcileDb } from '../store/db.ts';
import type { ReconcileTables } from '../store/tables.ts';
import { computeHoldState, type Hold, type HoldKind } from './compute.ts';

export type NewHold = {
  readonly account: string | null;
  readonly kinds: readonly HoldKind[];
  readonly reason: string;
  readonly atMs: number;
  readonly expiresAtMs: number;
};

/** Throws `rejected` NOT_PERMITTED, or HOLD_STATE for one that would hold nothing. Returns its id. */
export async function addHold(db: ReconcileDb, actor: Actor, hold: NewHold): Promise<string> {
  check(actor, 'hold.add');
  const { account, kinds, reason, atMs, expiresAtMs } = hold;
  if (reason.trim() === '') throw refused('a hold needs a reason');
  if (kinds.length === 0) throw refused('a hold holds pushes, finalization or both');
  if (expiresAtMs <= atMs) throw refused(`a hold until ${toIso(expiresAtMs)} is over at ${toIso(atMs)}`);
  return inAuditedTransaction(db, async (tx) => {
    const { id } = await tx
      .insertInto('holds')
      .values({
        account,
        holds_pushes: kinds.includes('pushes'),
        holds_finalization: kinds.includes('finalization'),
        reason,
        owner: actor.id,
        held_at: new Date(atMs),
        expires_at: new Date(expiresAtMs),
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const details = { account, kinds, reason, expiresAt: toIso(expiresAtMs) };
    await appendAudit(tx, [{ atMs, actor: actor.id, action: 'hold.added', subject: `hold-${id}`, details }]);
    return id;
  });
}

/** Throws `rejected` NOT_PERMITTED, or HOLD_STATE if it holds nothing any more. */
export async function releaseHold(
  db: ReconcileDb,
  actor: Actor,
  { id, reason, atMs }: { readonly id: string; readonly reason: string; readonly atMs: number },
): Promise<void> {
  check(actor, 'hold.release');
  if (reason.trim() === '') throw refused('releasing a hold needs a reason');
  await inAuditedTransaction(db, async (tx) => {
    const row = /^\d{1,18}$/.test(id)
      ? await tx.selectFrom('holds').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
      : undefined;
    if (row === undefined) throw refused(`there is no hold ${id}`);
    const state = computeHoldState(fromRow(row), atMs);
    if (state !== 'in force') throw refused(`hold ${id} is ${state} already`);
    const set = { released_at: new Date(atMs), released_by: actor.id, release_reason: reason };
    await tx.updateTable('holds').set(set).where('id', '=', id).execute();
    const details = { account: row.account, reason };
    await appendAudit(tx, [{ atMs, actor: actor.id, action: 'hold.released', subject: `hold-${id}`, details }]);
  });
}

/** Those in force at business time `nowMs`: what the close asks before it pushes or finalizes. */
export async function fetchHolds(db: ReconcileDb, nowMs: number): Promise<Hold[]> {
  const rows = await db
    .selectFrom('holds')
    .selectAll()
    .where('expires_at', '>', new Date(nowMs))
    .where('released_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map(fromRow);
}

/** Every hold there ever was, newest first. */
export async function fetchAllHolds(db: ReconcileDb): Promise<Hold[]> {
  return (await db.selectFrom('holds').selectAll().orderBy('id', 'desc').execute()).map(fromRow);
}

function fromRow(row: Selectable<ReconcileTables['holds']>): Hold {
  const { released_at: at, released_by: by, release_reason: reason } = row;
  return {
    id: row.id,
    account: row.account,
    kinds: [
      ...(row.holds_pushes ? (['pushes'] as const) : []),
      ...(row.holds_finalization ? (['finalization'] as const) : []),
    ],
    reason: row.reason,
    owner: row.owner,
    heldAtMs: row.held_at.getTime(),
    expiresAtMs: row.expires_at.getTime(),
    released: at === null || by === null || reason === null ? null : { atMs: at.getTime(), by, reason },
  };
}

function check(actor: Actor, permission: Permission): void {
  const decided = decidePermission(actor, permission);
  if (!decided.granted) throw new TrueupError({ kind: 'rejected', code: 'NOT_PERMITTED', message: decided.why });
}

function refused(message: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'HOLD_STATE', message });
}
