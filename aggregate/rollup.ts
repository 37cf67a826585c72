// Recomputes what blocks touched: minutes from the truth, then hours from minutes, then days from hours (promise I3).
// Each grain takes its run number before it reads, so of two workers at the same window the later reader wins, whoever
// writes last. A crash anywhere leaves the blocks on the work list, and the same windows are written again.

import type { ClickHouse } from '../platform/clickhouse.ts';
import type { Postgres } from '../platform/postgres.ts';
import { HOUR_MS } from '../domain/period.ts';
import { waitsFor } from './block-log.ts';
import { countedParameters } from './parameters.ts';
import { QUERIES } from './queries.ts';
import { nextRun, type TakeRun } from './rollup-runs.ts';
import { WHOLE, type Shard } from './shards.ts';
import type { AggregateTables } from './tables.ts';

export type RollupDeps = {
  readonly clickhouse: ClickHouse;
  readonly db: Postgres<AggregateTables>;
  /** Whose namespaces are rolled up; all of them by default. */
  readonly shard?: Shard;
};

/** Touched minutes in epoch seconds, ascending, with the number of namespaces touched in each. */
export type Touched = ReadonlyMap<number, number>;

export type RollupPass = {
  readonly blocks: number;
  /** Of them so many are in all grains now, and off the list. */
  readonly finished: number;
  readonly events: number;
  readonly hours: number;
};

/** Blocks taken per pass, and hours per statement: they bound the memory of one recomputation. */
export const BLOCKS_MAX = 400;
const HOURS_PER_STATEMENT = 1_500;
/** Up to so many minutes are named one by one, and the truth's key leads to them; beyond that their hours are read. */
const MINUTES_NAMED_MAX = 1_500;
const HOUR_SECONDS = 3_600;
export const NOTHING: RollupPass = { blocks: 0, finished: 0, events: 0, hours: 0 };

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

type MinutesOfBlocks = {
  /** Epoch seconds, ascending. */
  readonly minutes: readonly number[];
  /** Whose marks say which namespaces are recomputed in them. */
  readonly blocks: readonly string[];
  readonly takeRun: TakeRun;
};

export async function recomputeMinutes(
  { clickhouse, shard = WHOLE }: RollupDeps,
  work: MinutesOfBlocks,
): Promise<void> {
  const byHour = Map.groupBy(work.minutes, hourOf);
  for (const chunk of chunksOf([...byHour.keys()])) {
    const first = (chunk[0] ?? 0) * 1000;
    const window = { startAtMs: first, endAtMs: (chunk.at(-1) ?? 0) * 1000 + HOUR_MS };
    const minutes = chunk.flatMap((hour) => byHour.get(hour) ?? []);
    const named = minutes.length <= MINUTES_NAMED_MAX;
    const counted = countedParameters(named ? { window, minutes } : { window, hours: chunk });
    await clickhouse.command(QUERIES.rollUpMinutes, {
      ...counted,
      ...shard,
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
export async function recomputeCoarse({ clickhouse, shard = WHOLE }: RollupDeps, work: HoursOfBlocks): Promise<string> {
  const { hours, blocks, takeRun } = work;
  for (const chunk of chunksOf(hours)) {
    await clickhouse.command(QUERIES.rollUpHours, { ...shard, hours: chunk, blocks, run: await takeRun() });
  }
  const run = await takeRun();
  if (hours.length > 0) await clickhouse.command(QUERIES.rollUpDays, { ...shard, blocks, run });
  return run;
}

export async function fetchTouched(
  { clickhouse, shard = WHOLE }: RollupDeps,
  blocks: readonly string[],
): Promise<Touched> {
  const rows = await clickhouse.query<{ minute: number; namespaces: string }>(QUERIES.touchedMinutes, {
    ...shard,
    blocks,
  });
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

export async function fetchPending({ db, shard = WHOLE }: Pick<RollupDeps, 'db' | 'shard'>): Promise<Pending[]> {
  return db
    .selectFrom('ingest_blocks')
    .select(['block', 'topic', 'accepted', 'trace'])
    .where(waitsFor(shard))
    .orderBy('seq')
    .limit(BLOCKS_MAX)
    .execute();
}

type Finished = { readonly pending: readonly Pending[]; readonly run: string; readonly hours: number };

/** Takes the blocks off the shard's list, and off everybody's when no other shard has them to do. */
export async function finish(
  { db, shard = WHOLE }: RollupDeps,
  { pending, run, hours }: Finished,
): Promise<RollupPass> {
  const names = pending.map(({ block }) => block);
  if (shard.shards === 1) await finishWhole(db, names, run);
  else await db.transaction().execute(async (transaction) => finishInShard(transaction, shard, { names, run }));
  return { blocks: names.length, finished: names.length, events: sumOf(pending), hours };
}

type Named = { readonly names: readonly string[]; readonly run: string };

async function finishInShard(db: Postgres<AggregateTables>, shard: Shard, { names, run }: Named): Promise<void> {
  // In one order for everybody; of two shards that finish the same blocks, the second looks after the first has said so.
  await db.selectFrom('ingest_blocks').select('block').where('block', 'in', names).orderBy('seq').forUpdate().execute();
  await db
    .insertInto('rollup_shards_done')
    .values(names.map((block) => ({ block, ...shard })))
    .onConflict((repeated) => repeated.doNothing())
    .execute();
  const inAll = await db
    .selectFrom('rollup_shards_done')
    .select('block')
    .where('block', 'in', names)
    .where('shards', '=', shard.shards)
    .groupBy('block')
    .having(({ fn }) => fn.countAll(), '=', shard.shards)
    .execute();
  const blocks = inAll.map(({ block }) => block);
  if (blocks.length === 0) return;
  await finishWhole(db, blocks, run);
  await db.deleteFrom('rollup_shards_done').where('block', 'in', blocks).execute();
}

async function finishWhole(db: Postgres<AggregateTables>, blocks: readonly string[], run: string): Promise<void> {
  await db.updateTable('ingest_blocks').set({ rolled_up_run: run }).where('block', 'in', blocks).execute();
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
