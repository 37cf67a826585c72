// A closed month at scale, filled by the databases themselves: accounts with their plans, hour totals as closed, and the same
// hours as already sent to the biller. A hundred accounts are busy every hour, the others one hour in eight.

import { sql } from 'kysely';
import { METERS, type MeterName } from '../../domain/meter.ts';
import { parseWhole } from '../../domain/decimal.ts';
import { parsePeriod } from '../../domain/period.ts';
import { PLAN_IDS, type PlanId } from '../../domain/price-book.ts';
import type { ClickHouse } from '../../platform/clickhouse.ts';
import type { ReconcileDb } from '../../reconcile/store/db.ts';
import type { SnapshotAccount } from './snapshot-biller.ts';

export const PERIOD = parsePeriod('2026-10');
const HOURS = 31 * 24;
const BUSY = 100;
/** One account in so many differs at the biller, by turns in its summary and in its lines. */
const DIFFERING_EVERY = 50;

export const accountName = (n: number) => `acct-${String(n).padStart(7, '0')}`;

/** Rows of account n, meter m and hour h, with the quantity both databases compute alike. */
const QUANTITY = {
  clickhouse: '1000 + (n * 31 + h * 7 + m * 13) % 9000',
  postgres: '1000 + (n * 31 + h * 7 + m * 13) % 9000',
};

export async function fillClosedMonth(clickhouse: ClickHouse, accounts: number, events: bigint): Promise<void> {
  await clickhouse.command('TRUNCATE TABLE closed_usage_hour_v1 SYNC');
  const rows =
    BigInt(Math.min(accounts, BUSY) * HOURS * 3) + BigInt(Math.max(0, accounts - BUSY)) * BigInt((HOURS / 8) * 3);
  const perRow = events / rows > 0n ? events / rows : 1n;
  await clickhouse.command(
    `INSERT INTO closed_usage_hour_v1 (period, account, namespace, meter, hour, quantity, events, digest_sum, digest_xor)
     SELECT '${PERIOD.key}', concat('acct-', leftPad(toString(n), 7, '0')), concat('prod.acct-', leftPad(toString(n), 7, '0')),
       ['actions', 'active_storage', 'retained_storage'][m + 1], toDateTime('2026-10-01 00:00:00', 'UTC') + h * 3600,
       (${QUANTITY.clickhouse}) * if(m = 0, 100, 1), {events:UInt64}, 0, 0
     FROM (SELECT intDiv(number, ${HOURS}) AS n, number % ${HOURS} AS h FROM numbers({accounts:UInt64} * ${HOURS}))
     ARRAY JOIN [0, 1, 2] AS m
     WHERE n < ${BUSY} OR (n + h) % 8 = 0`,
    { accounts, events: perRow.toString() },
  );
}

export async function fillAccounts(db: ReconcileDb, accounts: number): Promise<void> {
  const name = sql.raw(`'acct-' || lpad(n::text, 7, '0')`);
  const all = sql`generate_series(0, ${sql.lit(accounts - 1)}) AS n`;
  await sql`INSERT INTO accounts (id, currency, created_at) SELECT ${name}, 'usd', '2026-01-01Z' FROM ${all}`.execute(
    db,
  );
  await sql`INSERT INTO account_plans (account_id, effective_from, plan_id)
    SELECT ${name}, '2026-01-01Z', (ARRAY['developer', 'business', 'enterprise'])[n % 3 + 1] FROM ${all}`.execute(db);
  await sql`INSERT INTO stripe_ids (account_id, kind, stripe_id)
    SELECT ${name}, 'customer', 'cus_' || ${name} FROM ${all}
    UNION ALL SELECT ${name}, 'subscription', 'sub_' || ${name} FROM ${all}`.execute(db);
  await sql`INSERT INTO meter_pushes (customer, meter, hour, quantity)
    SELECT 'cus_' || ${name}, (ARRAY['actions', 'active_storage', 'retained_storage'])[m + 1],
      '2026-10-01Z'::timestamptz + h * interval '1 hour',
      (${sql.raw(QUANTITY.postgres)}) * CASE WHEN m = 0 THEN 100 ELSE 1 END
    FROM ${all}, generate_series(0, ${sql.lit(HOURS - 1)}) AS h, generate_series(0, 2) AS m
    WHERE n < ${sql.lit(BUSY)} OR (n + h) % 8 = 0`.execute(db);
  await sql`ANALYZE`.execute(db);
}

/** What the biller holds, read from the closed hours: as a faultless one would, but for the accounts that differ. */
export async function fetchSnapshot(clickhouse: ClickHouse, accounts: number): Promise<SnapshotAccount[]> {
  const rows = await clickhouse.query<{ account: string; meter: MeterName; units: string }>(
    `SELECT account, toString(meter) AS meter, toString(toInt256(sum(quantity))) AS units
     FROM closed_usage_hour_v1 GROUP BY account, meter`,
  );
  const totals = new Map(rows.map((row) => [`${row.account} ${row.meter}`, parseWhole(row.units)]));
  return Array.from({ length: accounts }, (_, n) => {
    const account = accountName(n);
    const of = (meter: MeterName) => totals.get(`${account} ${meter}`) ?? 0n;
    const [actions, active_storage, retained_storage] = METERS.map(of);
    return {
      account,
      planId: PLAN_IDS[n % 3] as PlanId,
      totals: {
        actions: actions ?? 0n,
        active_storage: active_storage ?? 0n,
        retained_storage: retained_storage ?? 0n,
      },
      differs: n % DIFFERING_EVERY !== 0 ? null : n % (2 * DIFFERING_EVERY) === 0 ? 'summary' : 'line',
    };
  });
}
