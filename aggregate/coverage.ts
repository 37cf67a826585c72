// Is everything before a barrier stored without a gap, and rolled up? Pure: the answer of promise I1, from what Postgres
// makes of the block log (block-log.ts): a few facts per partition, however many blocks there are.

import type { Barrier } from './usage.ts';

/** [firstOffset, endOffset) of one partition. */
export type StoredRange = { readonly partition: number; readonly firstOffset: bigint; readonly endOffset: bigint };

/** Nothing is stored of [at, next), but something behind it. */
type Gap = { readonly at: bigint; readonly next: bigint };

export type StoredPartition = {
  /** Stored without a gap up to here. */
  readonly stored: bigint;
  /** Where the furthest block ends. */
  readonly end: bigint;
  /** In order, at most the first hundred. */
  readonly gaps: readonly Gap[];
  /** Blocks that wait to be rolled up and begin before the barrier that was asked for. */
  readonly waiting: number;
};

/** Index = partition. */
export type StoredLog = readonly StoredPartition[];

export type Coverage =
  | { readonly state: 'complete' }
  /** The log continues behind what has been stored so far: wait. */
  | { readonly state: 'behind'; readonly partition: number; readonly stored: bigint; readonly barrier: bigint }
  /** Stored, but some blocks wait for the rollup worker. */
  | { readonly state: 'to_roll_up'; readonly blocks: number }
  /** A later block is stored while an earlier range is missing: messages were skipped. */
  | { readonly state: 'gap'; readonly partition: number; readonly at: bigint; readonly next: bigint };

/**
 * Overlaps are redeliveries and harmless. A gap outranks being behind, which outranks waiting for the rollup. `log` must
 * have been asked for with this barrier.
 */
export function computeCoverage(log: StoredLog, barrier: Barrier): Coverage {
  let behind: Coverage | undefined;
  for (const [partition, end] of barrier.entries()) {
    const { stored = 0n, gaps = [] } = log[partition] ?? {};
    const [gap] = gaps;
    if (gap !== undefined && gap.next < end) return { state: 'gap', partition, ...gap };
    if (stored < end) behind ??= { state: 'behind', partition, stored, barrier: end };
  }
  if (behind !== undefined) return behind;
  const blocks = log.reduce((sum, { waiting }) => sum + waiting, 0);
  return blocks === 0 ? { state: 'complete' } : { state: 'to_roll_up', blocks };
}
