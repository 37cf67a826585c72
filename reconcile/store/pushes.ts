// What Stripe has been sent, so that only changed hours are sent again. It is recorded after the push was answered:
// dying in between makes the next attempt send the same totals once more, which replaces them by themselves.

import { sql } from 'kysely';
import { invariant } from '../../domain/contracts/errors.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Period } from '../../domain/period.ts';
import type { HourValue } from '../billing/port.ts';
import type { ReconcileDb } from './db.ts';

export async function fetchPushed(db: ReconcileDb, customer: string, period: Period): Promise<HourValue[]> {
  return (await fetchPushedOf(db, [customer], period)).get(customer) ?? [];
}

/** The same for several customers at once; one that was sent nothing has no entry. */
export async function fetchPushedOf(
  db: ReconcileDb,
  customers: readonly string[],
  period: Period,
): Promise<ReadonlyMap<string, HourValue[]>> {
  if (customers.length === 0) return new Map();
  const rows = await db
    .selectFrom('meter_pushes')
    .select(['customer', 'meter', 'hour', 'quantity'])
    .where('customer', 'in', [...customers])
    .where('hour', '>=', new Date(period.startAtMs))
    .where('hour', '<', new Date(period.endAtMs))
    .execute();
  const pushed = new Map<string, HourValue[]>();
  for (const row of rows) {
    const meter = METERS.find((name) => name === row.meter);
    invariant(meter !== undefined, 'I7', `pushed hour of unknown meter ${row.meter}`);
    const own = pushed.get(row.customer) ?? [];
    own.push({ meter, hourAtMs: row.hour.getTime(), quantity: BigInt(row.quantity) });
    pushed.set(row.customer, own);
  }
  return pushed;
}

export async function recordPushed(db: ReconcileDb, customer: string, values: readonly HourValue[]): Promise<void> {
  if (values.length === 0) return;
  const meters = values.map(({ meter }) => meter);
  const hours = values.map(({ hourAtMs }) => new Date(hourAtMs));
  const quantities = values.map(({ quantity }) => quantity.toString());
  // Arrays instead of a row list: a month of one account is 2,232 rows.
  await sql`
    INSERT INTO meter_pushes (customer, meter, hour, quantity)
    SELECT ${customer}, * FROM unnest(${meters}::text[], ${hours}::timestamptz[], ${quantities}::numeric[])
    ON CONFLICT (customer, meter, hour) DO UPDATE SET quantity = excluded.quantity`.execute(db);
}

export type PushedMeter = { readonly customer: string; readonly meter: MeterName; readonly period: Period };

/** Forgets what was recorded of the meter's period, and records this instead. In the caller's transaction. */
export async function replacePushed(
  tx: ReconcileDb,
  { customer, meter, period }: PushedMeter,
  values: readonly HourValue[],
): Promise<void> {
  await tx
    .deleteFrom('meter_pushes')
    .where('customer', '=', customer)
    .where('meter', '=', meter)
    .where('hour', '>=', new Date(period.startAtMs))
    .where('hour', '<', new Date(period.endAtMs))
    .execute();
  await recordPushed(tx, customer, values);
}

/**
 * One writer per customer: what an hourly push and a close send at the same time could arrive in either order, and the last
 * one stands. Held until `work` is done, or its process is. `work` uses the given connection: asking the pool for another
 * one while holding this would let a full pool wait for itself.
 */
export async function withPushLock<T>(
  db: ReconcileDb,
  customer: string,
  work: (tx: ReconcileDb) => Promise<T>,
): Promise<T> {
  return db.transaction().execute(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`push ${customer}`}, 0))`.execute(tx);
    return work(tx);
  });
}
