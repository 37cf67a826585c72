// Recomputes what blocks touched: minutes from the truth, then hours from minutes, then days from hours (promise I3).
// Each grain takes its run number before it reads, so of two workers at the same window the later reader wins, whoever
// writes last. A crash anywhere leaves the blocks on the work list, and the same windows are written again.

import { sql } from 'kysely';
import type { ClickHouse } from '../platform/clickhouse.ts';
import type { Postgres } from '../platform/postgres.ts';
import { NO_TRACING, type Tracing } from '../platform/tracing.ts';
import { HOUR_MS } from '../domain/period.ts';
import { countedParameters } from './parameters.ts';
import { QUERIES } from './queries.ts';
import type { AggregateTables } from './tables.ts';

export type RollupDeps = {
  readonly clickhouse: ClickHouse;
  readonly db: Postgres<AggregateTables>;
  readonly tracing?: Tracing;
};

export type RollupPass = { readonly blocks: number; readonly events: number; readonly hours: number };

/** Blocks taken per pass, and hours per statement: they bound the memory of one recomputation. */
const BLOCKS_MAX = 400;
const HOURS_PER_STATEMENT = 1_500;
/** Up to so many minutes are named one by one, and the truth's key leads to them; beyond that their hours are read. */
const MINUTES_NAMED_MAX = 1_500;
const HOUR_SECONDS = 3_600;
/** Hours and days follow the minutes at the latest after so long, however many new blocks arrive. */
const COARSE_EVERY_MS = 5_000;
const NOTHING: RollupPass = { blocks: 0, events: 0, hours: 0 };

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

/**
 * The same for a worker that goes on and on: minutes of new blocks at once, hours and days when no new ones are there or
 * the last time was long ago. Both cost by the namespaces they touch, so under load they are done for many passes at a
 * time. Only then is a block off the work list; what this object remembers is lost without harm.
 */
export class RollupWorker {
  private readonly deps: RollupDeps;
  private readonly nowMs: () => number;
  private minutesDone = new Set<string>();
  private coarseAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: RollupDeps, nowMs: () => number) {
    this.deps = deps;
    this.nowMs = nowMs;
  }

  async pass(): Promise<RollupPass> {
    const pending = await fetchPending(this.deps.db);
    const done = pending.filter(({ block }) => this.minutesDone.has(block));
    const fresh = pending.filter(({ block }) => !this.minutesDone.has(block));
    // What another worker finished is forgotten.
    this.minutesDone = new Set(done.map(({ block }) => block));
    if (pending.length === 0) return NOTHING;
    const { tracing = NO_TRACING } = this.deps;
    return tracing.span('roll up blocks', { links: tracesOf([...fresh, ...done]) }, async (span) => {
      const pass = await this.rollUp(pending, fresh);
      span.set({ 'trueup.blocks': pass.blocks, 'trueup.accepted': pass.events, 'trueup.hours': pass.hours });
      return pass;
    });
  }

  private async rollUp(pending: readonly Pending[], fresh: readonly Pending[]): Promise<RollupPass> {
    let hours = 0;
    if (fresh.length > 0) {
      const names = fresh.map(({ block }) => block);
      hours = (await recomputeMinutes(this.deps, names)).length;
      for (const name of names) this.minutesDone.add(name);
      const isDue = pending.length >= BLOCKS_MAX || this.nowMs() - this.coarseAtMs >= COARSE_EVERY_MS;
      if (!isDue) return { blocks: fresh.length, events: sumOf(fresh), hours };
    }
    const names = pending.map(({ block }) => block);
    const touched = await fetchTouched(this.deps, names);
    const run = await recomputeCoarse(this.deps, [...touched.keys()], names);
    this.coarseAtMs = this.nowMs();
    await finish(this.deps.db, { pending, run, hours });
    return { blocks: pending.length, events: sumOf(fresh), hours };
  }
}

/** Recomputes every window marked dirty under the given block names. */
export async function recomputeTouched(
  deps: RollupDeps,
  blocks: readonly string[],
): Promise<{ run: string; hours: number }> {
  const hours = await recomputeMinutes(deps, blocks);
  return { run: await recomputeCoarse(deps, hours, blocks), hours: hours.length };
}

async function recomputeMinutes({ clickhouse, db }: RollupDeps, blocks: readonly string[]): Promise<number[]> {
  const byHour = await fetchTouched({ clickhouse, db }, blocks);
  const hours = [...byHour.keys()];
  for (const chunk of chunksOf(hours)) {
    const first = (chunk[0] ?? 0) * 1000;
    const window = { startAtMs: first, endAtMs: (chunk.at(-1) ?? 0) * 1000 + HOUR_MS };
    const minutes = chunk.flatMap((hour) => byHour.get(hour) ?? []);
    const named = minutes.length <= MINUTES_NAMED_MAX;
    const counted = countedParameters(named ? { window, minutes } : { window, hours: chunk });
    await clickhouse.command(QUERIES.rollUpMinutes, {
      ...counted,
      touched_hours: chunk,
      blocks,
      run: await nextRun(db),
    });
  }
  return hours;
}

/** Hours of what is in the minutes by now, then days; resolves with the run of the days. */
async function recomputeCoarse(
  { clickhouse, db }: RollupDeps,
  hours: readonly number[],
  blocks: readonly string[],
): Promise<string> {
  for (const chunk of chunksOf(hours)) {
    await clickhouse.command(QUERIES.rollUpHours, { hours: chunk, blocks, run: await nextRun(db) });
  }
  const run = await nextRun(db);
  if (hours.length > 0) await clickhouse.command(QUERIES.rollUpDays, { blocks, run });
  return run;
}

/** Touched minutes by their hour, in epoch seconds, ascending. */
async function fetchTouched({ clickhouse }: RollupDeps, blocks: readonly string[]): Promise<Map<number, number[]>> {
  const touched = await clickhouse.query<{ minute: number }>(QUERIES.touchedMinutes, { blocks });
  const minutes = touched.map(({ minute }) => minute);
  return Map.groupBy(minutes, (minute) => minute - (minute % HOUR_SECONDS));
}

type Pending = { readonly block: string; readonly accepted: number; readonly trace: string | null };

async function fetchPending(db: Postgres<AggregateTables>): Promise<Pending[]> {
  return db
    .selectFrom('ingest_blocks')
    .select(['block', 'accepted', 'trace'])
    .where('rolled_up_run', 'is', null)
    .orderBy('seq')
    .limit(BLOCKS_MAX)
    .execute();
}

type Finished = { readonly pending: readonly Pending[]; readonly run: string; readonly hours: number };

async function finish(db: Postgres<AggregateTables>, { pending, run, hours }: Finished): Promise<RollupPass> {
  const names = pending.map(({ block }) => block);
  await db.updateTable('ingest_blocks').set({ rolled_up_run: run }).where('block', 'in', names).execute();
  return { blocks: names.length, events: sumOf(pending), hours };
}

/** Of the spans that stored the blocks; blocks of one group share one. */
function tracesOf(blocks: readonly Pending[]): string[] {
  return [...new Set(blocks.flatMap(({ trace }) => trace ?? []))];
}

function sumOf(pending: readonly Pending[]): number {
  return pending.reduce((sum, { accepted }) => sum + accepted, 0);
}

function chunksOf(hours: readonly number[]): number[][] {
  const chunks: number[][] = [];
  for (let start = 0; start < hours.length; start += HOURS_PER_STATEMENT) {
    chunks.push(hours.slice(start, start + HOURS_PER_STATEMENT));
  }
  return chunks;
}

async function nextRun(db: Postgres<AggregateTables>): Promise<string> {
  const { rows } = await sql<{ run: string }>`SELECT nextval('rollup_runs') AS run`.execute(db);
  return rows[0]?.run ?? '0';
}
