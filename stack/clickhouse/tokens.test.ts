import { expect, test } from 'vitest';
import { parseTokens } from './tokens.ts';

function texts(sql: string): string[] {
  return [...parseTokens(sql)].map((token) => token.text);
}

test('comments of every kind are no tokens, wherever they stand', () => {
  expect(texts('-- a\n/* b\n; */ # c\n#!d\nselect/**/1 -- e')).toEqual(['SELECT', '1']);
});

test('what stands in strings, quoted names and heredocs is never syntax', () => {
  expect(texts("'a;\\'b''c' `x\\`;y` \"q;\"\"r\" $$;$$ $t$ $$; $t$;")).toEqual([
    "'a;\\'b''c'",
    '`x\\`;y`',
    '"q;""r"',
    '$$;$$',
    '$t$ $$; $t$',
    ';',
  ]);
});

test('brackets tell how deep a token stands', () => {
  const depths = [...parseTokens('a(b[c],d)e')].map((token) => [token.text, token.depth]);
  expect(depths).toEqual([
    ['A', 0],
    ['(', 0],
    ['B', 1],
    ['[', 1],
    ['C', 2],
    [']', 1],
    [',', 1],
    ['D', 1],
    [')', 0],
    ['E', 0],
  ]);
});

test('a placeholder is one token, a map literal or a JSON object is not', () => {
  expect([...parseTokens("{ ids : Array(String) } {'a':1}")].map((token) => token.kind)).toEqual([
    'placeholder',
    'mark',
    'string',
    'mark',
    'number',
    'mark',
  ]);
});

test('an unfinished string or comment ends with the text instead of looping', () => {
  expect(texts("select 'abc")).toEqual(['SELECT', "'abc"]);
  expect(texts('select /* abc')).toEqual(['SELECT']);
});
