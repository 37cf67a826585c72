import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitBody } from './split.ts';

const texts = (body: string, format: 'batch' | 'single-or-batch' | 'ndjson') => {
  const split = splitBody(Buffer.from(body), format);
  return split.ok ? split.pieces.map(String) : split.why;
};

describe('cutting a batch', () => {
  test('gives back every element byte for byte, whatever JSON it is', () => {
    const spaces = fc.constantFrom('', ' ', '\n  ', '\t', '\r\n');
    fc.assert(
      fc.property(fc.array(fc.json()), spaces, (elements, space) => {
        const body = `${space}[${elements.map((text) => space + text + space).join(',')}]${space}`;
        expect(texts(body, 'batch')).toEqual(elements.map((text) => text.trim()));
      }),
    );
  });

  test('keeps numbers beyond double precision as they were written', () => {
    expect(texts('[{"n":1e400},{"n":0.10000000000000000001}]', 'batch')).toEqual([
      '{"n":1e400}',
      '{"n":0.10000000000000000001}',
    ]);
  });

  test.each(['', '{}', '[1,]', '[1', '"x"', 'null'])('refuses %j as a whole', (body) => {
    expect(texts(body, 'batch')).toMatch(/^the body is not/);
  });

  test('refuses a body that is not UTF-8', () => {
    expect(splitBody(Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), 'batch')).toMatchObject({ ok: false });
  });
});

describe('cutting lines', () => {
  test('takes either line end, skips blank lines and needs no last one', () => {
    expect(texts('\n{"a":1}\r\n  \n{"b":2}\n\n{"c":3}', 'ndjson')).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
  });
});

describe('one or many', () => {
  test.each([
    ['{"a":[1]}', ['{"a":[1]}']],
    [' \n[{"a":1},{"b":2}] ', ['{"a":1}', '{"b":2}']],
    ['[]', []],
    ['', ['']],
  ])('%j', (body, pieces) => {
    expect(texts(body, 'single-or-batch')).toEqual(pieces);
  });

  test('an array that breaks off is refused as a whole', () => {
    expect(texts('[{"a":1}', 'single-or-batch')).toBe('the body is not JSON');
  });
});

test.each([
  ['ndjson', '1\n2\n3\n4\n'],
  ['batch', '[1,2,3,4]'],
] as const)('%s: of too many pieces one more than may be is cut, and no further one', (format, body) => {
  expect([2, 3, 4, 5].map((max) => splitBody(Buffer.from(body), format, max))).toEqual(
    [3, 4, 4, 4].map((count) => ({
      ok: true,
      pieces: ['1', '2', '3', '4'].slice(0, count).map((one) => Buffer.from(one)),
    })),
  );
});
