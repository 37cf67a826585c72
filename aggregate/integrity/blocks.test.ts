import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findGaps } from './blocks.ts';
import { nameMismatches } from './rollups.ts';
import { nameSourceHour } from './sources.ts';

const block = (partition: number, first: number, end: number) => {
  return { partition, first: BigInt(first), end: BigInt(end) };
};

describe('the block log', () => {
  test('blocks that join or overlap have no gap, in whatever order they were stored', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 20 });
    fc.assert(
      fc.property(cuts, fc.integer({ min: 0, max: 5 }), (inner, overlap) => {
        const edges = [0, ...inner.sort((a, b) => a - b), 201];
        const blocks = edges.slice(1).map((end, index) => block(0, Math.max(0, (edges[index] ?? 0) - overlap), end));
        expect(findGaps(blocks.reverse())).toEqual({ gaps: [], ends: [201n] });
      }),
    );
  });

  test('every missing stretch is named, per partition, the first one too', () => {
    const { gaps, ends } = findGaps([block(2, 0, 4), block(0, 5, 6), block(0, 8, 9)]);
    expect(gaps).toEqual([
      { partition: 0, at: 0n, next: 5n },
      { partition: 0, at: 6n, next: 8n },
    ]);
    expect(ends).toEqual([9n, 0n, 4n]);
  });
});

test('where minutes and truth differ, the hours say which of them was changed', () => {
  const minute = {
    namespace: 'a.b',
    meter: 'actions',
    hour: 3600,
    at: '1970-01-01 01:05:00',
    rolled_up: '2',
    recomputed: '1',
  };
  const hour = { grain: 'hour' as const, namespace: 'a.b', meter: 'actions', start: 3600, parts: '2', stored: '1' };
  expect(nameMismatches([minute], []).map(({ kind }) => kind)).toEqual(['TRUTH_ALTERED']);
  expect(nameMismatches([minute], [hour]).map(({ kind }) => kind)).toEqual(['ROLLUP_ALTERED', 'ROLLUP_ALTERED']);
  expect(nameMismatches([minute], [{ ...hour, start: 7200 }]).map(({ kind }) => kind)).toContain('TRUTH_ALTERED');
});

test.each([
  ['MANIFEST_MISSING', { said: '0', came: '4', manifest_count: '0' }],
  ['SOURCE_SHORT', { said: '5', came: '4' }],
  ['MANIFEST_SHORT', { said: '3', came: '4' }],
  ['SOURCE_SHORT', { said_quantity: '7.5', came_quantity: '7.25' }],
  ['MANIFEST_SHORT', { said_quantity: '7', came_quantity: '7.000000000001' }],
])('a source hour that does not agree is a %s', (kind, difference) => {
  const same = { source: '/one', hour: 3600, said: '4', came: '4', said_quantity: '7', came_quantity: '7' };
  const sight = nameSourceHour({ ...same, manifest_count: '1', ...difference });
  expect(sight).toMatchObject({ kind, key: '/one 1970-01-01T01:00:00.000Z' });
});
