import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeHoldings, LEASE_MS, type ShardRow } from './shards.ts';

const free = (shards: number): ShardRow[] =>
  Array.from({ length: shards }, (_, shard) => ({ shard, owner: null, leasedUntilMs: null, wantedBy: null }));

const ownersOf = (rows: readonly ShardRow[]) => rows.map(({ owner }) => owner);

/** All look in turn, so often, half a second apart. */
function look(
  rows: ShardRow[],
  workers: readonly string[],
  { rounds, fromMs = 0 }: { rounds: number; fromMs?: number },
) {
  return Array.from({ length: rounds }).reduce<ShardRow[]>(
    (before, _, round) => workers.reduce((seen, me) => computeHoldings(seen, me, fromMs + round * 500), before),
    rows,
  );
}

describe('shards of the rollup', () => {
  test('one worker owns all of them', () => {
    expect(ownersOf(look(free(4), ['a'], { rounds: 1 }))).toEqual(['a', 'a', 'a', 'a']);
  });

  test('a second worker is given half of them, one after the other', () => {
    const rows = look(free(4), ['a'], { rounds: 1 });
    expect(ownersOf(look(rows, ['b', 'a'], { rounds: 1 })).filter((owner) => owner === 'b')).toHaveLength(1);
    const shared = ownersOf(look(rows, ['b', 'a'], { rounds: 9 }));
    expect(shared.filter((owner) => owner === 'b')).toHaveLength(2);
    expect(shared.filter((owner) => owner === 'a')).toHaveLength(2);
  });

  test('a spare stays one', () => {
    expect(ownersOf(look(free(1), ['a', 'b'], { rounds: 20 }))).toEqual(['a']);
  });

  test('what a silent worker owned is taken over when its lease ends, not before', () => {
    const rows = look(free(1), ['a'], { rounds: 1 });
    expect(ownersOf(computeHoldings(rows, 'b', LEASE_MS - 1))).toEqual(['a']);
    expect(ownersOf(computeHoldings(rows, 'b', LEASE_MS))).toEqual(['b']);
  });

  test('whoever came and went, in the end those that live share all shards evenly and nothing moves any more', () => {
    const NAMES = ['a', 'b', 'c', 'd', 'e'];
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.integer({ min: 0, max: 4_000 })), { maxLength: 60 }),
        fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 }),
        (shards, looks, living) => {
          let nowMs = 0;
          let rows = free(shards);
          for (const [me, passedMs] of looks) {
            nowMs += passedMs;
            rows = computeHoldings(rows, me, nowMs);
          }
          rows = look(rows, living, { rounds: 60, fromMs: nowMs });
          const counts = living.map((me) => rows.filter(({ owner }) => owner === me).length);
          expect(counts.reduce((sum, count) => sum + count, 0)).toBe(shards);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
          expect(ownersOf(look(rows, living, { rounds: 10, fromMs: nowMs + 30_000 }))).toEqual(ownersOf(rows));
        },
      ),
    );
  });
});
