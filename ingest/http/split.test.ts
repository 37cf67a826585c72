import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitEvents } from './split.ts';

const texts = (body: string, format: 'batch' | 'ndjson') => {
  const split = splitEvents(Buffer.from(body), format);
  return split.ok ? split.events.map(String) : split.why;
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
    expect(splitEvents(Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), 'batch')).toMatchObject({ ok: false });
  });
});

describe('cutting lines', () => {
  test('takes either line end, skips blank lines and needs no last one', () => {
    expect(texts('\n{"a":1}\r\n  \n{"b":2}\n\n{"c":3}', 'ndjson')).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
  });
});
