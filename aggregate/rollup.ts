// Recomputes what blocks touched: minutes from the truth, then hours from minutes, then days from hours (promise I3).
// Each grain takes its run number before it reads, so of two workers at the same window the later reader wins, whoever
// writes last. A crash anywhere leaves the blocks on the work list, and the same windows are written again.

import { sql } from 'kysely';
import type { ClickHouse } from '../platform/clickhouse.ts';
import type { Postgres } from '../platform/postgres.ts';
import { HOUR_MS } from '../domain/period.ts';
import { countedParameters } from './parameters.ts';
import { QUERIES } from './queries.ts';
import type { AggregateTables } from './tables.ts';

export type RollupDeps = { readonly clickhouse: ClickHouse; readonly db: Postgres<AggregateTables> };

export type RollupPass = { readonly blocks: number; readonly events: number; readonly hours: number };

/** Blocks taken per pass, and hours per statement: they bound the memory of one recomputation. */
const BLOCKS_MAX = 400;
const HOURS_PER_STATEMENT = 1_500;
/** Up to so many minutes are named one by one, and the truth's key leads to them; beyond that their hours are read. */
const MINUTES_NAMED_MAX = 1_500;
const HOUR_SECONDS = 3_600;

/** Rolls up the oldest blocks of the work list. `blocks: 0` means there is nothing to do. */
export async function rollUpPending({ clickhouse, db }: RollupDeps): Promise<RollupPass> {
  const pending = await db
    .selectFrom('ingest_blocks')
    .select(['block', 'accepted'])
    .where('rolled_up_run', 'is', null)
    .orderBy('seq')
    .limit(BLOCKS_MAX)
    .execute();
  if (pending.length === 0) return { blocks: 0, events: 0, hours: 0 };
  const blocks = pending.map((row) => row.block);
  const { run, hours } = await recomputeTouched({ clickhouse, db }, blocks);
  await db.updateTable('ingest_blocks').set({ rolled_up_run: run }).where('block', 'in', blocks).execute();
  return { blocks: blocks.length, events: pending.reduce((sum, row) => sum + row.accepted, 0), hours };
}

/** Recomputes every window marked dirty under the given block names. */
export async function recomputeTouched(
  { clickhouse, db }: RollupDeps,
  blocks: readonly string[],
): Promise<{ run: string; hours: number }> {
  const touched = await clickhouse.query<{ minute: number }>(QUERIES.touchedMinutes, { blocks });
  const byHour = Map.groupBy(touched, ({ minute }) => minute - (minute % HOUR_SECONDS));
  const hours = [...byHour.keys()];
  for (let start = 0; start < hours.length; start += HOURS_PER_STATEMENT) {
    const chunk = hours.slice(start, start + HOURS_PER_STATEMENT);
    const first = (chunk[0] ?? 0) * 1000;
    const window = { startAtMs: first, endAtMs: (chunk.at(-1) ?? 0) * 1000 + HOUR_MS };
    const minutes = chunk.flatMap((hour) => (byHour.get(hour) ?? []).map(({ minute }) => minute));
    const named = minutes.length <= MINUTES_NAMED_MAX;
    const counted = countedParameters(named ? { window, minutes } : { window, hours: chunk });
    await clickhouse.command(QUERIES.rollUpMinutes, {
      ...counted,
      touched_hours: chunk,
      blocks,
      run: await nextRun(db),
    });
    await clickhouse.command(QUERIES.rollUpHours, { hours: chunk, blocks, run: await nextRun(db) });
  }
  const run = await nextRun(db);
  if (hours.length > 0) await clickhouse.command(QUERIES.rollUpDays, { blocks, run });
  return { run, hours: hours.length };
}

async function nextRun(db: Postgres<AggregateTables>): Promise<string> {
  const { rows } = await sql<{ run: string }>`SELECT nextval('rollup_runs') AS run`.execute(db);
  return rows[0]?.run ?? '0';
}
