// The rollup of a worker that goes on and on: minutes of new blocks at once, hours and days when no new ones are there or
// the last time was long ago. Both cost by the namespaces they touch, so under load they are done for many passes at a
// time. Only then is a block off the work list. Busy minutes are kept in memory while nobody else takes a run
// (open-minutes.ts); otherwise each pass recomputes what it touches, as a single pass does.
// All that this object remembers is lost without harm.

import { CLICKHOUSE_TABLES } from '../domain/contracts/tables.ts';
import { NO_TRACING, type Tracing } from '../platform/tracing.ts';
import { advance, fetchPosition, fetchStoredSince } from './log-position.ts';
import { OpenMinutes } from './open-minutes.ts';
import {
  BLOCKS_MAX,
  fetchPending,
  fetchTouched,
  finish,
  hoursOf,
  NOTHING,
  recomputeCoarse,
  recomputeMinutes,
  recomputeTouched,
  sumOf,
  type Pending,
  type RollupDeps,
  type RollupPass,
} from './rollup.ts';
import { ShardRuns } from './rollup-runs.ts';
import { WHOLE, type Shard } from './shards.ts';
import type { Barrier } from './usage.ts';

/** Hours and days follow the minutes at the latest after so long, however many new blocks arrive. */
const COARSE_EVERY_MS = 5_000;
/** While there is always work, a minute is left at most that often: it is read whole once more then. */
const LEAVE_EVERY_MS = 10_000;

type Named = { readonly block: string; readonly accepted: number };
type Follow = { readonly from: Barrier; readonly to: Barrier; readonly blocks: readonly Named[] };

export type RollupWorkerDeps = RollupDeps & {
  readonly tracing?: Tracing;
  /** As many namespaces in a pass make a minute a busy one. */
  readonly busyNamespaces: number;
  /** Told when a minute, as it was left, held something else than what was added up for these namespaces. */
  readonly onCorrected?: (corrected: { readonly minute: number; readonly namespaces: readonly string[] }) => void;
};

export class RollupWorker {
  private readonly deps: RollupWorkerDeps;
  private readonly nowMs: () => number;
  private readonly open: OpenMinutes;
  /** What the open minutes hold is as of here; undefined while none may be kept. */
  private position: { readonly topic: string; readonly ends: Barrier } | undefined;
  private readonly shard: Shard;
  private readonly runs: ShardRuns;
  private minutesDone = new Set<string>();
  private coarseAtMs = Number.NEGATIVE_INFINITY;
  private leftAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: RollupWorkerDeps, nowMs: () => number) {
    this.deps = deps;
    this.nowMs = nowMs;
    this.open = new OpenMinutes(deps, deps.busyNamespaces);
    this.shard = deps.shard ?? WHOLE;
    this.runs = new ShardRuns(deps.db, this.shard);
  }

  /** `blocks: 0` means there is nothing to do. */
  async pass(): Promise<RollupPass> {
    const pending = await fetchPending(this.deps);
    if (pending.length === 0) {
      // Nothing waits: a good time to leave a minute.
      if (this.open.isCrowded) await this.leaveOldest();
      return NOTHING;
    }
    const { tracing = NO_TRACING } = this.deps;
    return tracing.span('roll up blocks', { links: tracesOf(pending) }, async (span) => {
      const pass = await this.rollUp(pending).catch((error: unknown) => {
        // Whether its last write is there is not known; and what failed because a minute is open must not fail again.
        this.forget();
        this.runs.isDisturbed = true;
        throw error;
      });
      span.set({ 'trueup.blocks': pass.blocks, 'trueup.accepted': pass.events, 'trueup.hours': pass.hours });
      return pass;
    });
  }

  private async rollUp(pending: readonly Pending[]): Promise<RollupPass> {
    const waiting = new Set(pending.map(({ block }) => block));
    // What another worker finished is forgotten, if those that wait are known to be all.
    if (waiting.size < BLOCKS_MAX) {
      this.minutesDone = new Set([...this.minutesDone].filter((block) => waiting.has(block)));
    }
    const fresh = pending.filter(({ block }) => !this.minutesDone.has(block));
    let hours = 0;
    let events = 0;
    if (fresh.length > 0) {
      const done = await this.rollUpMinutes(fresh);
      hours = done.hours;
      events = sumOf(done.blocks);
      for (const { block } of done.blocks) this.minutesDone.add(block);
      const isDue = pending.length >= BLOCKS_MAX || this.nowMs() - this.coarseAtMs >= COARSE_EVERY_MS;
      if (!isDue) return { blocks: done.blocks.length, finished: 0, events, hours };
    }
    const blocks = [...waiting];
    const touched = await fetchTouched(this.deps, blocks);
    const run = await recomputeCoarse(this.deps, { hours: hoursOf(touched.keys()), blocks, takeRun: this.runs.take });
    this.coarseAtMs = this.nowMs();
    for (const block of blocks) this.minutesDone.delete(block);
    return { ...(await finish(this.deps, { pending, run, hours })), events };
  }

  private async rollUpMinutes(fresh: readonly Pending[]): Promise<{ blocks: readonly Named[]; hours: number }> {
    // The list before the run: whoever takes a later run begins to read behind it, and so reads at least as much.
    const listed = this.runs.isDisturbed ? undefined : await this.followLog(fresh);
    const run = await this.runs.take();
    const follow = this.runs.isDisturbed ? undefined : listed;
    this.runs.isDisturbed = false;
    if (follow === undefined) this.forget();
    const blocks = follow?.blocks ?? fresh;
    const names = blocks.map(({ block }) => block);
    const touched = await fetchTouched(this.deps, names);
    const isDone = follow === undefined ? new Set() : await this.open.rollUp({ ...follow, touched, run });
    const minutes = [...touched.keys()].filter((minute) => !isDone.has(minute));
    await recomputeMinutes(this.deps, { minutes, blocks: names, takeRun: this.runs.take });
    if (this.open.isCrowded && this.nowMs() - this.leftAtMs >= LEAVE_EVERY_MS) await this.leaveOldest();
    while (this.open.isFull) await this.leaveOldest();
    return { blocks, hours: hoursOf(touched.keys()).length };
  }

  /** The blocks that continue what is known; undefined if they don't, or are too many for one pass. */
  private async followLog(fresh: readonly Pending[]): Promise<Follow | undefined> {
    const { db } = this.deps;
    const [topic = '', ...others] = new Set(fresh.map((block) => block.topic));
    if (others.length > 0) return undefined;
    const known = this.position?.topic === topic ? this.position.ends : undefined;
    if (known === undefined) this.forget();
    const from = known ?? (await fetchPosition(db, topic));
    const limit = BLOCKS_MAX + this.minutesDone.size + 1;
    const stored = await fetchStoredSince(db, topic, { position: from, shard: this.shard, limit });
    const blocks = stored.filter(({ block }) => !this.minutesDone.has(block));
    if (blocks.length > BLOCKS_MAX) return undefined;
    // Nothing is open at the beginning, so it doesn't matter which blocks are already behind the position.
    const behind =
      known === undefined ? blocks.filter((block) => block.endOffset > (from[block.partition] ?? 0n)) : blocks;
    const to = advance(from, behind);
    if (to === undefined) return undefined;
    this.position = { topic, ends: to };
    return { from, to, blocks };
  }

  private async leaveOldest(): Promise<void> {
    this.leftAtMs = this.nowMs();
    const { minute, wrong } = await this.open.checkOldest(this.position?.ends ?? []);
    if (wrong.length > 0) {
      this.deps.onCorrected?.({ minute, namespaces: wrong });
      const block = `left-${minute}-${this.runs.lastRun}`;
      const marks = wrong.map((namespace) => `${block}\t${namespace}\t${minute}\n`).join('');
      await this.deps.clickhouse.insertTsv(CLICKHOUSE_TABLES.usageDirty, ['block', 'namespace', 'minute'], marks);
      await recomputeTouched(this.deps, [block], this.runs.take);
    }
    this.open.leave(minute);
  }

  private forget(): void {
    this.position = undefined;
    this.open.forget();
  }
}

/** Of the spans that stored the blocks; blocks of one group share one. */
function tracesOf(blocks: readonly Pending[]): string[] {
  return [...new Set(blocks.flatMap(({ trace }) => trace ?? []))];
}
