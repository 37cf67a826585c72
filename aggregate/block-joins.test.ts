import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeJoins, type Joinable } from './block-joins.ts';

let seq = 0n;
const block = (first: number, end: number): Joinable => {
  seq += 1n;
  const counts = { messages: end - first, accepted: end - first, rejected: 0, blocks: 1 };
  const place = { block: `${first}-${end}-${seq}`, partition: 0, firstOffset: BigInt(first), endOffset: BigInt(end) };
  return { ...place, ...counts, seq, rolledUpRun: 1n, storedAt: new Date(0) };
};

/** Stretches as `[first, end)`, and how many rows each takes the place of. */
function join(rows: readonly Joinable[], edges: readonly bigint[] = [], messagesMax?: bigint): string[] {
  return computeJoins(rows, edges, messagesMax).map(({ chain, spare }) => {
    return `${chain[0]?.firstOffset}-${chain.at(-1)?.endOffset} of ${chain.length} without ${spare.length}`;
  });
}

describe('blocks that are joined', () => {
  test('follow one another; a gap ends them', () => {
    expect(join([block(5, 9), block(0, 5), block(12, 14), block(14, 15)])).toEqual([
      '0-9 of 2 without 0',
      '12-15 of 2 without 0',
    ]);
  });

  test('of a redelivery in other pieces take those that fit, and drop what they hold', () => {
    const once = [block(0, 100), block(100, 200), block(200, 300)];
    const again = [block(100, 250), block(250, 350), block(350, 400)];
    expect(join([...once, ...again])).toEqual(['0-400 of 4 without 2']);
  });

  test('never cut a block that overlaps without fitting', () => {
    expect(join([block(0, 10), block(5, 15), block(15, 20)])).toEqual(['0-10 of 1 without 0', '5-20 of 2 without 0']);
  });

  test('end at a barrier, and a block across one stays alone', () => {
    expect(join([block(0, 5), block(5, 9), block(9, 12)], [5n])).toEqual(['0-5 of 1 without 0', '5-12 of 2 without 0']);
    expect(join([block(0, 5), block(5, 9), block(9, 12)], [7n])).toEqual(['0-5 of 1 without 0', '9-12 of 1 without 0']);
  });

  test('count no more messages than a row may', () => {
    const rows = Array.from({ length: 6 }, (_, n) => block(n * 4, n * 4 + 4));
    expect(join(rows, [], 10n)).toEqual(['0-8 of 2 without 0', '8-16 of 2 without 0', '16-24 of 2 without 0']);
  });

  test('cover what was covered, count each message once, and take every block at most once', () => {
    const range = fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 8 }));
    const edges = fc.array(fc.bigInt(0n, 38n), { maxLength: 2 });
    fc.assert(
      fc.property(fc.array(range, { maxLength: 25 }), edges, (ranges, barriers) => {
        const rows = ranges.map(([first, length]) => block(first, first + length));
        const joins = computeJoins(rows, barriers);
        const taken = joins.flatMap(({ chain, spare }) => [...chain, ...spare]);
        expect(new Set(taken).size).toBe(taken.length);
        const left = rows.filter((row) => !taken.includes(row));
        const joined = joins.map(({ chain }) => {
          const [first = 0n, end = 0n] = [chain[0]?.firstOffset, chain.at(-1)?.endOffset];
          expect(chain.reduce((sum, { messages }) => sum + messages, 0)).toBe(Number(end - first));
          expect(barriers.some((barrier) => first < barrier && barrier < end)).toBe(false);
          return { firstOffset: first, endOffset: end };
        });
        const offsets = (all: readonly Pick<Joinable, 'firstOffset' | 'endOffset'>[]) =>
          Array.from({ length: 40 }, (_, at) => all.some((row) => row.firstOffset <= at && at < row.endOffset));
        expect(offsets([...joined, ...left])).toEqual(offsets(rows));
      }),
      { numRuns: 2_000 },
    );
  });
});
