import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createKeyText, hashKeyText, parseKeyText, startOf } from './api-key.ts';

const keys = fc
  .tuple(fc.constantFrom('test' as const, 'live' as const), fc.uint8Array({ minLength: 32, maxLength: 32 }))
  .map(([env, secret]) => ({ env, text: createKeyText(env, Buffer.from(secret)) }));

describe('the text of an API key', () => {
  test('is recognised with its env, whatever the secret', () => {
    fc.assert(
      fc.property(keys, ({ env, text }) => {
        expect(parseKeyText(text)).toBe(env);
      }),
    );
  });

  test('with any one character replaced is no key any more', () => {
    fc.assert(
      fc.property(keys, fc.nat(), fc.constantFrom('0', 'A', 'z', '_'), ({ text }, at, character) => {
        const place = at % text.length;
        const changed = text.slice(0, place) + character + text.slice(place + 1);
        expect(parseKeyText(changed)).toBe(changed === text ? parseKeyText(text) : undefined);
      }),
    );
  });

  test('is stored as 32 bytes that differ for every key, and shown by twelve characters', () => {
    const [one, other] = [createKeyText('test'), createKeyText('test')];
    expect(hashKeyText(one)).toHaveLength(32);
    expect(hashKeyText(one).equals(hashKeyText(other))).toBe(false);
    expect(startOf(one)).toMatch(/^tu_test_[0-9A-Za-z]{4}$/);
  });

  test.each(['', 'tu_test_', 'Bearer x', `tu_prod_${'0'.repeat(43)}_000000`, `tu_test_${'0'.repeat(43)}_000000`])(
    '%j is none',
    (text) => expect(parseKeyText(text)).toBeUndefined(),
  );
});
