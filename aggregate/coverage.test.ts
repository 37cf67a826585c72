import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeCoverage, type BlockRange } from './coverage.ts';

const range = (partition: number, first: number, end: number, rolledUp = true): BlockRange => ({
  partition,
  firstOffset: BigInt(first),
  endOffset: BigInt(end),
  rolledUp,
});

describe('coverage of the log up to a barrier', () => {
  test('joined and rolled-up blocks are complete', () => {
    expect(computeCoverage([range(0, 0, 5), range(0, 5, 9), range(1, 0, 3)], [9n, 3n])).toEqual({ state: 'complete' });
  });

  test('an idle partition stalls nothing', () => {
    expect(computeCoverage([range(0, 0, 5)], [5n, 0n])).toEqual({ state: 'complete' });
  });

  test('a redelivered range is no gap', () => {
    expect(computeCoverage([range(0, 0, 5), range(0, 2, 9)], [9n])).toEqual({ state: 'complete' });
  });

  test('a skipped block is named', () => {
    const found = computeCoverage([range(0, 0, 5), range(0, 7, 9)], [9n]);
    expect(found).toEqual({ state: 'gap', partition: 0, at: 5n, next: 7n });
  });

  test('a missing first block is a gap too', () => {
    expect(computeCoverage([range(0, 3, 9)], [9n])).toMatchObject({ state: 'gap', at: 0n, next: 3n });
  });

  test('what has not been stored yet is waited for', () => {
    expect(computeCoverage([range(0, 0, 5)], [9n])).toMatchObject({ state: 'behind', stored: 5n, barrier: 9n });
  });

  test('what waits for the rollup is counted, behind the barrier it is not', () => {
    const ranges = [range(0, 0, 5), range(0, 5, 9, false), range(0, 9, 12, false)];
    expect(computeCoverage(ranges, [9n])).toEqual({ state: 'to_roll_up', blocks: 1 });
  });

  test('what is known to be stored is not asked for, and what lies behind it must join', () => {
    expect(computeCoverage([], [9n, 4n], [9n, 6n])).toEqual({ state: 'complete' });
    expect(computeCoverage([range(0, 4, 9)], [9n], [5n])).toEqual({ state: 'complete' });
    expect(computeCoverage([range(0, 6, 9)], [9n], [5n])).toMatchObject({ state: 'gap', at: 5n, next: 6n });
    expect(computeCoverage([range(0, 2, 5, false)], [9n], [9n])).toEqual({ state: 'to_roll_up', blocks: 1 });
  });

  test('no order of blocks changes the answer', () => {
    const ranges = [range(0, 0, 4), range(0, 4, 8), range(0, 6, 12), range(1, 0, 3), range(1, 3, 9, false)];
    fc.assert(
      fc.property(fc.shuffledSubarray(ranges, { minLength: ranges.length }), (shuffled) => {
        expect(computeCoverage(shuffled, [12n, 9n])).toEqual({ state: 'to_roll_up', blocks: 1 });
      }),
    );
  });
});
