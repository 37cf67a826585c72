import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bindParameters, parameterLiteral, unescapeTsv } from './parameters.ts';
import { parseTokens } from './tokens.ts';

function literal(type: string, value: string): string {
  return parameterLiteral(`{p:${type}}`, new Map([['p', value]]));
}

/** The client's side: tab-separated escaping. */
function escapeTsv(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\t', '\\t')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll("'", "\\'");
}

test('values become typed literals', () => {
  expect(literal('UInt64', '18446744073709551615')).toBe("CAST('18446744073709551615' AS UInt64)");
  expect(literal('Decimal(76, 12)', '1.5')).toBe("CAST('1.5' AS Decimal(76, 12))");
  expect(literal('String', "it\\'s\\n\\\\")).toBe("'it\\'s\n\\\\'");
  expect(literal('Array(String)', "['a\\'b']")).toBe("CAST('[\\'a\\\\\\'b\\']' AS Array(String))");
  expect(literal('Identifier', 'we`ird')).toBe('`we\\`ird`');
  expect(literal('Nullable(UInt8)', '\\N')).toBe('CAST(NULL AS Nullable(UInt8))');
  expect(literal("DateTime64(3, 'UTC')", '1700000000.123')).toBe("CAST('1700000000.123' AS DateTime64(3, 'UTC'))");
  expect(literal('Map(String, UInt8)', "{'a':1}")).toBe("CAST(map('a',1) AS Map(String, UInt8))");
});

test('a map holds literals only, since it stands outside quotes', () => {
  expect(() => literal('Map(String, UInt8)', "{'a':sleep(3)}")).toThrow(/cannot be parsed as a Map/);
});

test('a missing value is named', () => {
  expect(() => parameterLiteral('{who:String}', new Map())).toThrow('Substitution `who` is not set');
});

const hostile = fc.constantFrom(
  "'",
  '"',
  '`',
  '\\',
  '\0',
  '\n',
  '\t',
  '\r',
  '{',
  '}',
  ':',
  ';',
  '--',
  '/*',
  '$$',
  ' ',
  'N',
  'x41',
  'é',
  '🦊',
);

test('whatever a string holds, it stays one literal', () => {
  fc.assert(
    fc.property(fc.string({ unit: hostile }), (text) => {
      // As a parameter's whole text this is NULL, of any type.
      fc.pre(text !== '\\N');
      expect(unescapeTsv(escapeTsv(text))).toBe(text);
      const sql = literal('String', escapeTsv(text));
      const tokens = [...parseTokens(Buffer.from(sql).toString('latin1'))];
      expect(tokens.map((token) => token.kind).join(' ')).toBe('string');
      const array = [...parseTokens(Buffer.from(literal('Array(String)', text)).toString('latin1'))];
      expect(array.filter((token) => token.depth === 1).map((token) => token.kind)).toEqual([
        'string',
        'word',
        'word',
        'mark',
        'mark',
      ]);
    }),
  );
});

test('placeholders are bound in statements, not in strings, and text keeps its bytes', () => {
  const view = Buffer.from("SELECT '{a:UInt8}é', {a:UInt8}, {s:String}").toString('latin1');
  const values = new Map([
    ['a', '1'],
    ['s', 'ü'],
  ]);
  const bound = bindParameters(view, [...parseTokens(view)], values, { from: 0, to: view.length });
  expect(Buffer.from(bound, 'latin1').toString()).toBe("SELECT '{a:UInt8}é', CAST('1' AS UInt8), 'ü'");
});
