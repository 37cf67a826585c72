// Up to where the block log joins without a gap, per partition: what a sink must read again from after records of blocks were
// lost. Pure.

import type { BlockRange } from '../coverage.ts';
import type { Barrier } from '../usage.ts';

/** `from`: offsets before which everything is known to be stored; `partitions` of the topic. */
export function computeStoredEnds(ranges: readonly BlockRange[], from: Barrier, partitions: number): bigint[] {
  const byPartition = Map.groupBy(ranges, ({ partition }) => partition);
  return Array.from({ length: partitions }, (_, partition) => {
    let stored = from[partition] ?? 0n;
    const sorted = (byPartition.get(partition) ?? []).toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
    for (const { firstOffset, endOffset } of sorted) {
      if (firstOffset > stored) break;
      if (endOffset > stored) stored = endOffset;
    }
    return stored;
  });
}
