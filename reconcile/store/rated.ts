// Own rating of an account, line by line. Written as a whole by each attempt, so that a repeat leaves exactly what it rated.

import { sql } from 'kysely';
import { invariant } from '../../domain/contracts/errors.ts';
import { formatDecimal, parseDecimal } from '../../domain/decimal.ts';
import { METERS } from '../../domain/meter.ts';
import type { RatedLine } from '../../domain/rating.ts';
import type { PartLine, RatedAccount } from '../runs/rated.ts';
import type { ReconcileDb } from './db.ts';
import type { RunRef } from './runs.ts';

export type StoredLine = RatedLine & { readonly account: string };

export type StoredPartLine = StoredLine & PartLine;

/** Own rating of an account, replacing what an earlier attempt stored. */
export async function recordRated(db: ReconcileDb, { run, account }: RunRef, rated: RatedAccount): Promise<void> {
  const rows = rated.lines.map((line) => ({
    meter: line.meter,
    part_start: new Date(line.partStartAtMs),
    tier: line.tier,
    price_id: line.priceId,
    quantity: line.quantity.toString(),
    unit_amount: formatDecimal(line.unitAmount),
    amount_minor: line.amountMinor.toString(),
  }));
  // One statement instead of a transaction of four: this is written for every account of a close.
  await sql`
    WITH kept AS (
      INSERT INTO rated_lines (run, account, meter, part_start, tier, price_id, quantity, unit_amount, amount_minor)
      SELECT ${run}, ${account}, l.* FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        AS l(meter text, part_start timestamptz, tier integer, price_id text, quantity numeric, unit_amount text, amount_minor bigint)
      ON CONFLICT (run, account, meter, part_start, tier) DO UPDATE SET
        price_id = excluded.price_id, quantity = excluded.quantity,
        unit_amount = excluded.unit_amount, amount_minor = excluded.amount_minor
      RETURNING meter, part_start, tier
    ), gone AS (
      DELETE FROM rated_lines AS old
      WHERE run = ${run} AND account = ${account}
        AND NOT EXISTS (SELECT FROM kept WHERE (kept.meter, kept.part_start, kept.tier) = (old.meter, old.part_start, old.tier))
    )
    UPDATE run_accounts SET usage_minor = ${rated.usageMinor.toString()}, fee_minor = ${rated.feeMinor.toString()}
    WHERE run = ${run} AND account = ${account}`.execute(db);
}

/** Of the named accounts of a run, or of all. */
export async function fetchRatedLines(
  db: ReconcileDb,
  run: string,
  accounts?: readonly string[],
): Promise<StoredPartLine[]> {
  let query = db.selectFrom('rated_lines').selectAll().where('run', '=', run);
  if (accounts !== undefined) query = query.where('account', 'in', [...accounts]);
  const rows = await query.orderBy('account').orderBy('meter').orderBy('part_start').orderBy('tier').execute();
  return rows.map((row) => {
    const meter = METERS.find((name) => name === row.meter);
    invariant(meter !== undefined, 'I5', `rated line of unknown meter ${row.meter}`);
    return {
      account: row.account,
      meter,
      partStartAtMs: row.part_start.getTime(),
      tier: row.tier,
      priceId: row.price_id,
      quantity: BigInt(row.quantity),
      unitAmount: parseDecimal(row.unit_amount),
      amountMinor: BigInt(row.amount_minor),
    };
  });
}
