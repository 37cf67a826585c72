// Which objects have to be read again. A ring raises `rung`; a read that began at some `rung` sets `served` to it. Rings
// that come in any order, twice or all at once end in the same place: the object is read after the last of them.

import { sql } from 'kysely';
import { after, type Deferral } from './due.ts';
import type { ObjectState, Target } from './port.ts';
import type { Origin, WebhookDb } from './tables.ts';

export async function ringObject(db: WebhookDb, target: Target, origin: Origin): Promise<void> {
  await db
    .insertInto('stripe_refetches')
    .values({ kind: target.kind, object_id: target.id, origin, rung: '1' })
    .onConflict((conflict) =>
      conflict.columns(['kind', 'object_id']).doUpdateSet({
        rung: sql`stripe_refetches.rung + 1`,
        // One that is not waiting for its turn is due at once; a pause after a failure stays.
        due_at: sql<Date>`CASE WHEN stripe_refetches.rung > stripe_refetches.served THEN stripe_refetches.due_at ELSE now() END`,
      }),
    )
    .execute();
}

export type TakenRefetch = { readonly target: Target; readonly rung: string; readonly attempts: number };

export async function takeRefetches(db: WebhookDb, limit: number, leaseMs: number): Promise<TakenRefetch[]> {
  const rows = await db
    .updateTable('stripe_refetches as one')
    .from((query) =>
      query
        .selectFrom('stripe_refetches')
        .select(['kind', 'object_id'])
        .whereRef('rung', '>', 'served')
        .where('due_at', '<=', sql<Date>`now()`)
        .orderBy('due_at')
        .limit(limit)
        .forUpdate()
        .skipLocked()
        .as('due'),
    )
    .set({ attempts: sql`attempts + 1`, due_at: after(leaseMs) })
    .whereRef('one.kind', '=', 'due.kind')
    .whereRef('one.object_id', '=', 'due.object_id')
    .returning(['one.kind', 'one.object_id', 'one.rung', 'one.attempts'])
    .execute();
  return rows.map((row) => ({
    target: { kind: row.kind, id: row.object_id },
    rung: row.rung,
    attempts: row.attempts,
  }));
}

/** A slower reader that began before another one does not put back what the other found. */
export async function settleRefetch(db: WebhookDb, { rung }: TakenRefetch, state: ObjectState): Promise<void> {
  await db
    .updateTable('stripe_refetches')
    .set({ served: rung, status: state.status, fetched_at: sql<Date>`now()`, attempts: 0, due_at: sql<Date>`now()` })
    .set({ failure: null })
    .where('kind', '=', state.kind)
    .where('object_id', '=', state.id)
    .where('served', '<=', rung)
    .execute();
}

export async function deferRefetch(db: WebhookDb, target: Target, { pauseMs, failure }: Deferral): Promise<void> {
  await db
    .updateTable('stripe_refetches')
    .set({ due_at: after(pauseMs), failure })
    .where('kind', '=', target.kind)
    .where('object_id', '=', target.id)
    .execute();
}

/** Rings for an object whose state is not the one that was last read; returns whether it did. */
export async function ringIfChanged(db: WebhookDb, state: ObjectState): Promise<boolean> {
  const known = await db
    .selectFrom('stripe_refetches')
    .select(['status', 'rung', 'served'])
    .where('kind', '=', state.kind)
    .where('object_id', '=', state.id)
    .executeTakeFirst();
  const upToDate = known !== undefined && (known.status === state.status || known.rung !== known.served);
  if (upToDate) return false;
  await ringObject(db, state, 'swept');
  return true;
}
