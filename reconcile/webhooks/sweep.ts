// Finds what never rang: events listed since the last sweep, with an overlap, and invoices whose state is not the one last
// read. What is found is marked `swept`. May run at any time, beside itself and beside the receiver; dying repeats it.

import { sql } from 'kysely';
import { DAY_MS } from '../../domain/period.ts';
import { insertDoorbell } from './events.ts';
import type { WebhookSource } from './port.ts';
import { ringIfChanged } from './refetches.ts';
import type { WebhookDb } from './tables.ts';

const EVENTS = 'events';
/** The vendor forgets events after 30 days. An older invoice that changes makes a younger event. */
const REACH_MS = 30 * DAY_MS;
/** The vendor tries to deliver an event for three days; a wider look costs only list pages. */
const OVERLAP_MS = 4 * DAY_MS;

export type SweepOptions = {
  readonly db: WebhookDb;
  readonly source: WebhookSource;
  /** Business time: where the first sweep begins to look back from. */
  readonly nowMs: number;
  readonly overlapMs?: number;
};

export type Swept = { readonly events: number; readonly invoices: number };

/** Returns how many events and invoices had not rung. */
export async function sweep(options: SweepOptions): Promise<Swept> {
  const { db, source } = options;
  let events = 0;
  let newest = 0;
  for await (const doorbell of source.listDoorbells(await fetchStart(options))) {
    if (await insertDoorbell(db, doorbell, 'swept')) events += 1;
    newest = Math.max(newest, doorbell.createdAtMs);
  }
  await moveCursor(db, newest);
  let invoices = 0;
  for await (const invoice of source.listInvoices(options.nowMs - REACH_MS)) {
    if (await ringIfChanged(db, invoice)) invoices += 1;
  }
  return { events, invoices };
}

async function fetchStart({ db, nowMs, overlapMs = OVERLAP_MS }: SweepOptions): Promise<number> {
  const row = await db.selectFrom('stripe_sweeps').select('cursor').where('name', '=', EVENTS).executeTakeFirst();
  const reach = nowMs - REACH_MS;
  if (row === undefined) return reach;
  return Math.max(reach, row.cursor.getTime() - Math.min(overlapMs, REACH_MS));
}

/** Only forward, and only after the whole list was read: a sweep that dies begins where it began. */
async function moveCursor(db: WebhookDb, toMs: number): Promise<void> {
  if (toMs === 0) return;
  await db
    .insertInto('stripe_sweeps')
    .values({ name: EVENTS, cursor: new Date(toMs) })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({
        cursor: sql<Date>`greatest(stripe_sweeps.cursor, excluded.cursor)`,
        swept_at: sql<Date>`now()`,
      }),
    )
    .execute();
}
