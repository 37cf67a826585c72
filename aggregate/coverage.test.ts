import { describe, expect, test } from 'vitest';
import { computeCoverage, type StoredPartition } from './coverage.ts';

const stored = (to: number, facts: Partial<StoredPartition> = {}): StoredPartition => {
  return { stored: BigInt(to), end: BigInt(to), gaps: [], waiting: 0, ...facts };
};
const gap = (at: number, next: number, end: number) =>
  stored(at, { end: BigInt(end), gaps: [{ at: BigInt(at), next: BigInt(next) }] });

describe('coverage of the log up to a barrier', () => {
  test('what is stored up to it and rolled up is complete, whatever lies behind it', () => {
    expect(computeCoverage([stored(9), stored(3)], [9n, 3n])).toEqual({ state: 'complete' });
    expect(computeCoverage([stored(12)], [9n])).toEqual({ state: 'complete' });
  });

  test('an idle partition stalls nothing, and one without any block is waited for', () => {
    expect(computeCoverage([stored(5)], [5n, 0n])).toEqual({ state: 'complete' });
    expect(computeCoverage([], [2n])).toMatchObject({ state: 'behind', partition: 0, stored: 0n });
  });

  test('a gap before the barrier is named, one that begins or ends behind it is not', () => {
    expect(computeCoverage([gap(5, 7, 9)], [9n])).toEqual({ state: 'gap', partition: 0, at: 5n, next: 7n });
    expect(computeCoverage([gap(5, 7, 9)], [7n])).toMatchObject({ state: 'behind', stored: 5n, barrier: 7n });
    expect(computeCoverage([gap(5, 7, 9)], [5n])).toEqual({ state: 'complete' });
  });

  test('a gap outranks being behind, which outranks waiting for the rollup', () => {
    const waiting = stored(9, { waiting: 2 });
    expect(computeCoverage([waiting, stored(4), gap(1, 2, 3)], [9n, 9n, 9n])).toMatchObject({ state: 'gap' });
    expect(computeCoverage([waiting, stored(4)], [9n, 9n])).toMatchObject({ state: 'behind', partition: 1 });
    expect(computeCoverage([waiting, waiting], [9n, 9n])).toEqual({ state: 'to_roll_up', blocks: 4 });
  });
});
