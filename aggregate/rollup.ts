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

/** Touched minutes in epoch seconds, ascending, with the number of namespaces touched in each. */
export type Touched = ReadonlyMap<number, number>;

export type RollupPass = { readonly blocks: number; readonly events: number; readonly hours: number };

/** Blocks taken per pass, and hours per statement: they bound the memory of one recomputation. */
export const BLOCKS_MAX = 400;
const HOURS_PER_STATEMENT = 1_500;
/** Up to so many minutes are named one by one, and the truth's key leads to them; beyond that their hours are read. */
const MINUTES_NAMED_MAX = 1_500;
const HOUR_SECONDS = 3_600;
export const NOTHING: RollupPass = { blocks: 0, events: 0, hours: 0 };

/** Rolls up the oldest blocks of the work list, in all grains. `blocks: 0` means there is nothing to do. */
export async function rollUpPending(deps: RollupDeps): Promise<RollupPass> {
  const pending = await fetchPending(deps.db);
  if (pending.length === 0) return NOTHING;
  const { run, hours } = await recomputeTouched(
    deps,
    pending.map(({ block }) => block),
  );
  return finish(deps.db, { pending, run, hours });
}

/** Recomputes every window marked dirty under the given block names. */
export async function recomputeTouched(
  deps: RollupDeps,
  blocks: readonly string[],
  takeRun: TakeRun = async () => nextRun(deps.db),
): Promise<{ run: string; hours: number }> {
  const touched = [...(await fetchTouched(deps, blocks)).keys()];
  await recomputeMinutes(deps, { minutes: touched, blocks, takeRun });
  const hours = hoursOf(touched);
  return { run: await recomputeCoarse(deps, { hours, blocks, takeRun }), hours: hours.length };
}

type TakeRun = () => Promise<string>;

type MinutesOfBlocks = {
  /** Epoch seconds, ascending. */
  readonly minutes: readonly number[];
  /** Whose marks say which namespaces are recomputed in them. */
  readonly blocks: readonly string[];
  readonly takeRun: TakeRun;
};

export async function recomputeMinutes({ clickhouse }: RollupDeps, work: MinutesOfBlocks): Promise<void> {
  const byHour = Map.groupBy(work.minutes, hourOf);
  for (const chunk of chunksOf([...byHour.keys()])) {
    const first = (chunk[0] ?? 0) * 1000;
    const window = { startAtMs: first, endAtMs: (chunk.at(-1) ?? 0) * 1000 + HOUR_MS };
    const minutes = chunk.flatMap((hour) => byHour.get(hour) ?? []);
    const named = minutes.length <= MINUTES_NAMED_MAX;
    const counted = countedParameters(named ? { window, minutes } : { window, hours: chunk });
    await clickhouse.command(QUERIES.rollUpMinutes, {
      ...counted,
      touched_hours: chunk,
      blocks: work.blocks,
      run: await work.takeRun(),
    });
  }
}

type HoursOfBlocks = {
  readonly hours: readonly number[];
  readonly blocks: readonly string[];
  readonly takeRun: TakeRun;
};

/** Hours of what is in the minutes by now, then days; resolves with the run of the days. */
export async function recomputeCoarse({ clickhouse }: RollupDeps, work: HoursOfBlocks): Promise<string> {
  const { hours, blocks, takeRun } = work;
  for (const chunk of chunksOf(hours)) {
    await clickhouse.command(QUERIES.rollUpHours, { hours: chunk, blocks, run: await takeRun() });
  }
  const run = await takeRun();
  if (hours.length > 0) await clickhouse.command(QUERIES.rollUpDays, { blocks, run });
  return run;
}

export async function fetchTouched({ clickhouse }: RollupDeps, blocks: readonly string[]): Promise<Touched> {
  const rows = await clickhouse.query<{ minute: number; namespaces: string }>(QUERIES.touchedMinutes, { blocks });
  return new Map(rows.map(({ minute, namespaces }) => [minute, Number(namespaces)]));
}

/** Hours of the minutes, each once. */
export function hoursOf(minutes: Iterable<number>): number[] {
  return [...new Set([...minutes].map(hourOf))];
}

function hourOf(minute: number): number {
  return minute - (minute % HOUR_SECONDS);
}

export type Pending = {
  readonly block: string;
  readonly topic: string;
  readonly accepted: number;
  readonly trace: string | null;
};

export async function fetchPending(db: Postgres<AggregateTables>): Promise<Pending[]> {
  return db
    .selectFrom('ingest_blocks')
    .select(['block', 'topic', 'accepted', 'trace'])
    .where('rolled_up_run', 'is', null)
    .orderBy('seq')
    .limit(BLOCKS_MAX)
    .execute();
}

type Finished = { readonly pending: readonly Pending[]; readonly run: string; readonly hours: number };

export async function finish(db: Postgres<AggregateTables>, { pending, run, hours }: Finished): Promise<RollupPass> {
  const names = pending.map(({ block }) => block);
  await db.updateTable('ingest_blocks').set({ rolled_up_run: run }).where('block', 'in', names).execute();
  return { blocks: names.length, events: sumOf(pending), hours };
}

export function sumOf(pending: readonly { readonly accepted: number }[]): number {
  return pending.reduce((sum, { accepted }) => sum + accepted, 0);
}

function chunksOf(hours: readonly number[]): number[][] {
  const chunks: number[][] = [];
  for (let start = 0; start < hours.length; start += HOURS_PER_STATEMENT) {
    chunks.push(hours.slice(start, start + HOURS_PER_STATEMENT));
  }
  return chunks;
}

export async function nextRun(db: Postgres<AggregateTables>): Promise<string> {
  const { rows } = await sql<{ run: string }>`SELECT nextval('rollup_runs') AS run`.execute(db);
  return rows[0]?.run ?? '0';
}
