import { expect, test } from 'vitest';
import { nameMismatches } from './rollups.ts';
import { nameSourceHour } from './sources.ts';

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
