import fc from 'fast-check';
import { expect, test } from 'vitest';
import { computeCoverage, type BlockRange } from '../coverage.ts';
import { computeStoredEnds } from './stored-ends.ts';

const range = (partition: number, firstOffset: bigint, endOffset: bigint): BlockRange => ({
  partition,
  firstOffset,
  endOffset,
  rolledUp: true,
});

test('reading again begins at the first gap, whatever is stored behind it', () => {
  const ranges = [range(0, 20n, 30n), range(0, 0n, 10n), range(1, 0n, 5n), range(1, 3n, 8n)];
  expect(computeStoredEnds(ranges, [], 3)).toEqual([10n, 8n, 0n]);
});

test('what a close has seen stored is not read again', () => {
  expect(computeStoredEnds([range(0, 40n, 50n)], [40n], 2)).toEqual([50n, 0n]);
});

test('everything before the ends is covered, and nothing beyond them joins', () => {
  const offset = fc.bigInt(0n, 60n);
  const someRange = fc.record({ partition: fc.nat(2), a: offset, b: offset });
  fc.assert(
    fc.property(fc.array(someRange, { maxLength: 12 }), (given) => {
      const ranges = given
        .filter(({ a, b }) => a !== b)
        .map(({ partition, a, b }) => range(partition, a < b ? a : b, a < b ? b : a));
      const ends = computeStoredEnds(ranges, [], 3);
      expect(computeCoverage(ranges, ends).state).toBe('complete');
      for (const [partition, end] of ends.entries()) {
        const further = ends.map((one, index) => (index === partition ? end + 1n : one));
        expect(computeCoverage(ranges, further).state).not.toBe('complete');
      }
    }),
  );
});
