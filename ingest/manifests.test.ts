import { expect, test } from 'vitest';
import { parseManifest } from './manifests.ts';

const GOOD = { source: '/cell/1', hour: '2026-10-03T12:00:00Z', events: 7, quantity: '12.5', revision: 2 };
const read = (manifest: unknown) => parseManifest(Buffer.from(JSON.stringify(manifest)));

test('a manifest is read with its hour as an instant and its quantity as written', () => {
  const { hour: _, ...rest } = GOOD;
  expect(read(GOOD)).toEqual({ manifest: { ...rest, hourAtMs: Date.UTC(2026, 9, 3, 12) } });
});

test.each([
  ['no bytes', null],
  ['no JSON', Buffer.from('{')],
  ['no object', Buffer.from('7')],
  ...[
    { hour: '2026-10-03T12:30:00Z' },
    { hour: 'noon' },
    { events: -1 },
    { events: 1.5 },
    { events: '7' },
    { quantity: 12 },
    { quantity: '-1' },
    { quantity: '1e3' },
    { revision: 2 ** 32 },
    { source: '' },
  ].map((change): [string, Buffer] => [JSON.stringify(change), Buffer.from(JSON.stringify({ ...GOOD, ...change }))]),
])('a manifest that can not be read says why: %s', (_, value) => {
  expect(parseManifest(value)).toEqual({ problem: expect.stringMatching(/.+/) });
});
