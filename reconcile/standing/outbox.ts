// Work that was promised and is not done: doorbells that were taken and not looked at, objects that were rung about and not
// read again, repairs that were approved and are not at the biller. Reads only.

import { sql } from 'kysely';
import type { OUTBOX_QUEUES } from '../../domain/contracts/metrics/watch.ts';
import type { ReconcileDb } from '../store/db.ts';

export type OutboxQueue = (typeof OUTBOX_QUEUES)[number];

export type Waiting = {
  readonly messages: number;
  /** Since when the oldest of them has been due; 0 when none is. */
  readonly oldestDueMs: number;
};

export type Outbox = Readonly<Record<OutboxQueue, Waiting>>;

type Row = { messages: string; oldest_seconds: string | null };

/** `businessNowMs` is what approvals are dated by; the other queues go by the database's own clock. */
export async function fetchOutbox(db: ReconcileDb, businessNowMs: number): Promise<Outbox> {
  const [doorbells, refetches, repairs] = await Promise.all([
    // A pause after a failure does not make it younger.
    sql<Row>`SELECT count(*)::text AS messages,
        extract(epoch FROM now() - min(received_at))::text AS oldest_seconds
      FROM stripe_events WHERE state = 'received'`.execute(db),
    sql<Row>`SELECT count(*)::text AS messages,
        extract(epoch FROM now() - min(coalesce(fetched_at, due_at)) FILTER (WHERE attempts > 0))::text AS oldest_seconds
      FROM stripe_refetches WHERE rung > served`.execute(db),
    sql<Row>`SELECT count(*)::text AS messages,
        extract(epoch FROM ${new Date(businessNowMs)}::timestamptz - min(approved_at))::text AS oldest_seconds
      FROM repairs WHERE state IN ('approved', 'applying', 'applied')`.execute(db),
  ]);
  return {
    doorbells: toWaiting(doorbells.rows),
    refetches: toWaiting(refetches.rows),
    repairs: toWaiting(repairs.rows),
  };
}

function toWaiting([row]: readonly Row[]): Waiting {
  if (row === undefined) throw new Error('a count came without a row');
  return { messages: Number(row.messages), oldestDueMs: Math.max(0, Number(row.oldest_seconds ?? '0') * 1_000) };
}
