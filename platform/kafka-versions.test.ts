import { expect, test } from 'vitest';
import { parseApiVersions } from './kafka-versions.ts';

const answer = (words: string) => Buffer.from(words.replaceAll(' ', ''), 'hex');

test('requests are read with the lowest and the highest version', () => {
  const versions = parseApiVersions(answer('00000001 0000 00000002 0000 0003 000d 0042 0000 0001'));
  expect([...versions]).toEqual([
    [0, { min: 3, max: 13 }],
    [66, { min: 0, max: 1 }],
  ]);
});

test('an error lists nothing', () => {
  expect(parseApiVersions(answer('00000001 0023 00000000')).size).toBe(0);
});
