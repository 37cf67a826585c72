import fc from 'fast-check';
import { expect, test } from 'vitest';
import { followProgress, type Progress, type Standstill } from './standstill.ts';

function watch(looks: readonly Progress[]): Standstill | undefined {
  let state: Standstill | undefined;
  for (const [second, look] of looks.entries()) state = followProgress(state, look, second);
  return state;
}

test('work that is left and does not move stands still since it was first seen there', () => {
  expect(watch([1n, 5n, 5n, 5n].map((position) => ({ behind: 3n, position })))).toEqual({ position: 5n, sinceMs: 1 });
});

test('an idle worker never stands still', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 3n }), { minLength: 1 }), (positions) => {
      const state = watch(positions.map((position) => ({ behind: 0n, position })));
      expect(state?.sinceMs).toBe(positions.length - 1);
    }),
  );
});

test('a worker that moves at every look never stands still, however far behind it is', () => {
  const state = watch(Array.from({ length: 20 }, (_, look) => ({ behind: 1_000_000n, position: BigInt(look) })));
  expect(state?.sinceMs).toBe(19);
});
