// Usage of ours that Stripe took and could not use, as the comparison takes it. Stripe's report names a few sample events
// only; their identifiers say whose usage it was. Reads only.

import type { Period } from '../../domain/period.ts';
import { periodContains } from '../../domain/period.ts';
import { parseMeterIdentifier } from '../billing/meter-identifier.ts';
import type { MeterError } from '../compare/sides.ts';
import type { ReconcileDb } from '../store/db.ts';

/** Per code and meter, with the number of sample events that name this customer and an hour of the period. */
export async function fetchMeterErrors(db: ReconcileDb, customer: string, period: Period): Promise<MeterError[]> {
  const rows = await db
    .selectFrom('meter_errors')
    .select(['code', 'sample_ids'])
    // Reports come within minutes of the events, and hours are sent until their period is closed.
    .where('created', '>=', new Date(period.startAtMs))
    .orderBy('event_id')
    .execute();
  const counts = new Map<string, MeterError>();
  for (const { code, sample_ids: identifiers } of rows) {
    for (const identifier of new Set(identifiers)) {
      const of = parseMeterIdentifier(identifier);
      if (of === null || of.customer !== customer || !periodContains(period, of.hourAtMs)) continue;
      const key = `${code} ${of.meter}`;
      counts.set(key, { code, meter: of.meter, events: (counts.get(key)?.events ?? 0) + 1 });
    }
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found);
}

/** Whether any event was reported as unusable since the period began; mostly none was. */
export async function hasMeterErrors(db: ReconcileDb, period: Period): Promise<boolean> {
  const row = await db
    .selectFrom('meter_errors')
    .select('event_id')
    .where('created', '>=', new Date(period.startAtMs))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
