import { describe, expect, test } from 'vitest';
import { advance } from './log-position.ts';

const range = (partition: number, first: number, end: number) => ({
  partition,
  firstOffset: BigInt(first),
  endOffset: BigInt(end),
});

describe('a position of the log', () => {
  test('moves to the end of blocks that continue it, in whatever order they come', () => {
    expect(advance([10n, 20n], [range(0, 15, 18), range(1, 20, 30), range(0, 10, 15)])).toEqual([18n, 30n]);
    expect(advance([10n, 20n], [])).toEqual([10n, 20n]);
  });

  test.each([
    ['leave a gap', range(0, 11, 15)],
    ['were there before', range(0, 5, 10)],
    ['begin before it', range(0, 9, 12)],
    ['belong to a partition it does not know', range(2, 0, 5)],
  ])('is lost by blocks that %s', (_, given) => {
    expect(advance([10n, 20n], [range(1, 20, 25), given])).toBeUndefined();
  });
});
