import fc from 'fast-check';
import { expect, test } from 'vitest';
import { computeFreshnessMs, takeSample, type Sample } from './freshness.ts';

function follow(looks: readonly { ends: bigint[]; rolledUp: bigint[] }[]): { samples: Sample[]; ages: number[] } {
  let samples: Sample[] = [];
  const ages = looks.map(({ ends, rolledUp }, second) => {
    samples = takeSample(samples, { atMs: second, ends }, rolledUp);
    return computeFreshnessMs(samples, rolledUp, second);
  });
  return { samples, ages };
}

test('what waits grows older by every look, and is gone when the rollups reach it', () => {
  const { ages, samples } = follow([
    { ends: [5n, 5n], rolledUp: [5n, 5n] },
    { ends: [9n, 5n], rolledUp: [5n, 5n] },
    { ends: [12n, 5n], rolledUp: [5n, 5n] },
    { ends: [12n, 5n], rolledUp: [9n, 5n] },
    { ends: [12n, 5n], rolledUp: [12n, 5n] },
  ]);
  expect(ages).toEqual([0, 0, 1, 1, 0]);
  expect(samples).toEqual([]);
});

test('one partition that stands is not hidden by another that moves', () => {
  const { ages } = follow([
    { ends: [1n, 1n], rolledUp: [0n, 1n] },
    { ends: [1n, 9n], rolledUp: [0n, 9n] },
    { ends: [1n, 20n], rolledUp: [0n, 20n] },
  ]);
  expect(ages).toEqual([0, 1, 2]);
});

test('samples stay bounded through a standstill of a week, and the age is that of the first', () => {
  const looks = Array.from({ length: 9_000 }, (_, look) => ({ ends: [BigInt(look + 1)], rolledUp: [0n] }));
  const { samples, ages } = follow(looks);
  expect(samples.length).toBeLessThanOrEqual(2_001);
  expect(ages.at(-1)).toBe(8_999);
});

test('rollups that hold everything are fresh, whatever was before', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 50n }), { minLength: 1 }), (ends) => {
      const looks = ends.map((end) => ({ ends: [end], rolledUp: [0n] }));
      expect(follow([...looks, { ends: [50n], rolledUp: [50n] }]).ages.at(-1)).toBe(0);
    }),
  );
});
