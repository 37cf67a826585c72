// Is everything before a barrier stored without a gap, and rolled up? Pure: the answer of promise I1 over the block log.

import type { Barrier } from './usage.ts';

/** [firstOffset, endOffset) of one partition. */
export type StoredRange = { readonly partition: number; readonly firstOffset: bigint; readonly endOffset: bigint };

export type BlockRange = StoredRange & { readonly rolledUp: boolean };

export type Coverage =
  | { readonly state: 'complete' }
  /** The log continues behind what has been stored so far: wait. */
  | { readonly state: 'behind'; readonly partition: number; readonly stored: bigint; readonly barrier: bigint }
  /** Stored, but some blocks wait for the rollup worker. */
  | { readonly state: 'to_roll_up'; readonly blocks: number }
  /** A later block is stored while an earlier range is missing: messages were skipped. */
  | { readonly state: 'gap'; readonly partition: number; readonly at: bigint; readonly next: bigint };

/**
 * Overlaps are redeliveries and harmless. A gap outranks being behind, which outranks waiting for the rollup.
 * `from`: offsets before which everything is known to be stored.
 */
export function computeCoverage(ranges: readonly BlockRange[], barrier: Barrier, from: Barrier = []): Coverage {
  const byPartition = Map.groupBy(ranges, (range) => range.partition);
  let behind: Coverage | undefined;
  for (const [partition, end] of barrier.entries()) {
    let stored = from[partition] ?? 0n;
    const sorted = (byPartition.get(partition) ?? []).toSorted((a, b) => compare(a.firstOffset, b.firstOffset));
    for (const range of sorted) {
      if (range.firstOffset >= end) break;
      if (range.firstOffset > stored) return { state: 'gap', partition, at: stored, next: range.firstOffset };
      if (range.endOffset > stored) stored = range.endOffset;
    }
    if (stored < end) behind ??= { state: 'behind', partition, stored, barrier: end };
  }
  if (behind !== undefined) return behind;
  const waiting = ranges.filter((range) => !range.rolledUp && range.firstOffset < (barrier[range.partition] ?? 0n));
  return waiting.length === 0 ? { state: 'complete' } : { state: 'to_roll_up', blocks: waiting.length };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
