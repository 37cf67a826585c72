// Events as rows. One row per event id, whoever brings it and however often; its rings and findings are written in the
// transaction that settles it, so an event counts once, whatever dies in between.

import { sql } from 'kysely';
import { after, type Deferral } from './due.ts';
import { toTarget, type Doorbell, type MeterErrors } from './port.ts';
import { ringObject } from './refetches.ts';
import type { Origin, WebhookDb } from './tables.ts';

/** Returns false for an event that is known already. Durable once it returns. */
export async function insertDoorbell(db: WebhookDb, doorbell: Doorbell, origin: Origin): Promise<boolean> {
  const row = await db
    .insertInto('stripe_events')
    .values({
      id: doorbell.eventId,
      type: doorbell.type,
      thin: doorbell.thin,
      object: doorbell.object,
      object_id: doorbell.objectId,
      parent_id: doorbell.invoiceId,
      created: new Date(doorbell.createdAtMs),
      origin,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

export type TakenEvent = { readonly doorbell: Doorbell; readonly origin: Origin; readonly attempts: number };

/** Takes events that are due, oldest first. They are nobody else's until the lease ends; a death only costs that long. */
export async function takeEvents(db: WebhookDb, limit: number, leaseMs: number): Promise<TakenEvent[]> {
  const rows = await db
    .updateTable('stripe_events')
    .set({ attempts: sql`attempts + 1`, due_at: after(leaseMs) })
    .where('id', 'in', (query) =>
      query
        .selectFrom('stripe_events')
        .select('id')
        .where('state', '=', 'received')
        .where('due_at', '<=', sql<Date>`now()`)
        .orderBy('due_at')
        .limit(limit)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .execute();
  return rows.map((row) => ({
    origin: row.origin,
    attempts: row.attempts,
    doorbell: {
      eventId: row.id,
      type: row.type,
      thin: row.thin,
      object: row.object,
      objectId: row.object_id,
      invoiceId: row.parent_id,
      createdAtMs: row.created.getTime(),
    },
  }));
}

/** Rings for what the event is about and keeps what it found, once. */
export async function settleEvent(db: WebhookDb, event: TakenEvent, findings: readonly MeterErrors[]): Promise<void> {
  const { doorbell, origin } = event;
  const target = toTarget(doorbell);
  await db.transaction().execute(async (tx) => {
    const settled = await tx
      .updateTable('stripe_events')
      .set({ state: target === undefined && findings.length === 0 ? 'ignored' : 'processed' })
      .where('id', '=', doorbell.eventId)
      .where('state', '=', 'received')
      .returning('id')
      .executeTakeFirst();
    if (settled === undefined) return;
    if (target !== undefined) await ringObject(tx, target, origin);
    if (findings.length > 0) await insertMeterErrors(tx, doorbell, findings);
  });
}

async function insertMeterErrors(db: WebhookDb, doorbell: Doorbell, findings: readonly MeterErrors[]): Promise<void> {
  const rows = findings.map((found) => ({
    event_id: doorbell.eventId,
    code: found.code,
    meter: found.meter,
    customer: null,
    window_start: new Date(found.startAtMs),
    window_end: new Date(found.endAtMs),
    error_count: found.count.toString(),
    sample_ids: JSON.stringify(found.sampleIds),
    created: new Date(doorbell.createdAtMs),
  }));
  await db
    .insertInto('meter_errors')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Try again after a pause. */
export async function deferEvent(db: WebhookDb, eventId: string, { pauseMs, failure }: Deferral): Promise<void> {
  await db
    .updateTable('stripe_events')
    .set({ due_at: after(pauseMs), failure })
    .where('id', '=', eventId)
    .where('state', '=', 'received')
    .execute();
}

/** Will never work, such as an event that the vendor has forgotten. Kept, with its error code. */
export async function failEvent(db: WebhookDb, eventId: string, failure: string): Promise<void> {
  await db
    .updateTable('stripe_events')
    .set({ state: 'failed', failure })
    .where('id', '=', eventId)
    .where('state', '=', 'received')
    .execute();
}
