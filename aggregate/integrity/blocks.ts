// I1, what can be said from the stores: the block log joins without gaps and ends where the stored rows end, every block
// counts as many messages as its range holds, and the minutes a block touched hold events.

import { previousPeriod, periodOf } from '../../domain/period.ts';
import type { CloseDeps } from '../close.ts';
import { countedParameters } from '../parameters.ts';
import { QUERIES } from '../queries.ts';
import { fetchDroppedPeriods } from '../retention/state.ts';
import type { Look, Sight } from './findings.ts';
import type { Sampling } from './sampling.ts';

type BlockRow = {
  block: string;
  partition: number;
  first: bigint;
  end: bigint;
  messages: number;
  rolledUp: boolean;
};

export async function lookAtBlocks(deps: CloseDeps, { nowMs }: { nowMs: number }): Promise<Look> {
  const blocks = await fetchBlocks(deps);
  const { gaps, ends } = findGaps(blocks);
  const sights: Sight[] = [];
  for (const { partition, at, next } of gaps) {
    const parameters = { partition, first: String(at), end: String(next) };
    const [row] = await deps.clickhouse.query<{ rows: string }>(QUERIES.storedBetween, parameters);
    const stored = row?.rows ?? 'unknown';
    const evidence = { topic: deps.topic, partition, from: String(at), to: String(next), storedRows: stored };
    sights.push({ kind: 'BLOCK_GAP', key: `${deps.topic} ${partition} ${at}`, evidence });
  }
  for (const { block, partition, first, end, messages } of blocks) {
    if (BigInt(messages) === end - first) continue;
    const evidence = { partition, from: String(first), to: String(end), messages };
    sights.push({ kind: 'BLOCK_COUNT', key: block, evidence });
  }
  const fromMs = previousPeriod(periodOf(nowMs)).startAtMs;
  const parameters = {
    ...countedParameters({ window: { startAtMs: fromMs, endAtMs: nowMs } }),
    ends,
  };
  const beyond = await deps.clickhouse.query<{ partition: number; first: string; last: string; rows: string }>(
    QUERIES.storedBeyond,
    parameters,
  );
  for (const { partition, first, last, rows } of beyond) {
    const evidence = { topic: deps.topic, partition, blockLogEnd: String(ends[partition] ?? 0n), first, last, rows };
    // Named by where it begins: under steady traffic every look sees some write in flight, and never the same one twice.
    sights.push({ kind: 'BLOCK_MISSING', key: `${deps.topic} ${partition} ${first}`, evidence });
  }
  return { kinds: ['BLOCK_GAP', 'BLOCK_COUNT', 'BLOCK_MISSING'], sights, covers: () => true };
}

const HOUR_SECONDS = 3_600;

/** Samples rolled-up blocks of the last week, whose marks are kept, and always those of standing findings. */
export async function lookAtTouchedMinutes(deps: CloseDeps, sampling: Sampling): Promise<Look> {
  const blocks = await fetchBlocks(deps);
  const sample = sampling.pick(
    blocks.filter(({ rolledUp }) => rolledUp).map(({ block }) => block),
    sampling.blocks,
    'TRUTH_MISSING',
  );
  const kinds = ['TRUTH_MISSING'] as const;
  if (sample.length === 0) return { kinds, sights: [], covers: () => false };
  const touched = await deps.clickhouse.query<{ minute: number }>(QUERIES.touchedMinutes, { blocks: sample });
  const dropped = new Set(await fetchDroppedPeriods(deps.db));
  const missing = await deps.clickhouse.query<{ namespace: string; at: string; in_block: string }>(
    QUERIES.missingMinutes,
    {
      blocks: sample,
      hours: [...new Set(touched.map(({ minute }) => minute - (minute % HOUR_SECONDS)))],
    },
  );
  const sights = missing
    .filter(({ at }) => !dropped.has(at.slice(0, 7)))
    .map(({ namespace, at, in_block: block }): Sight => {
      return { kind: 'TRUTH_MISSING', key: `${namespace} ${at}`, evidence: { namespace, minute: at, block } };
    });
  const looked = new Set(sample);
  return { kinds, sights, covers: (_key, { block }) => looked.has(String(block)) };
}

async function fetchBlocks({ db, topic }: CloseDeps): Promise<BlockRow[]> {
  const rows = await db
    .selectFrom('ingest_blocks')
    .select(['block', 'partition', 'first_offset', 'end_offset', 'messages', 'rolled_up_run'])
    .where('topic', '=', topic)
    .execute();
  return rows.map((row) => ({
    block: row.block,
    partition: row.partition,
    first: BigInt(row.first_offset),
    end: BigInt(row.end_offset),
    messages: row.messages,
    rolledUp: row.rolled_up_run !== null,
  }));
}

type Gap = { readonly partition: number; readonly at: bigint; readonly next: bigint };

/** All gaps, and where the block log ends per partition. Overlaps are redeliveries. */
export function findGaps(blocks: readonly Pick<BlockRow, 'partition' | 'first' | 'end'>[]): {
  gaps: Gap[];
  ends: bigint[];
} {
  const gaps: Gap[] = [];
  const ends: bigint[] = [];
  const byOffset = blocks.toSorted((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  for (const { partition, first, end } of byOffset) {
    const reached = ends[partition] ?? 0n;
    if (first > reached) gaps.push({ partition, at: reached, next: first });
    ends[partition] = end > reached ? end : reached;
  }
  return { gaps, ends: Array.from(ends, (end) => end ?? 0n) };
}
