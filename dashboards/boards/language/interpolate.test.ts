import { describe, expect, test } from 'vitest';
import { clickhouseFormat, interpolate, namesIn, prometheusFormat, textFormat, type Variable } from './interpolate.ts';

const one = (value: string): Variable => ({ values: [value], multi: false, all: false });
const many = (...values: string[]): Variable => ({ values, multi: true, all: false });

const variables = new Map([
  ['tenant', one('acme')],
  ['quote', one("o'brien\\x")],
  ['namespace', many('a.acme', 'b.acme')],
  ['single', many('/cell-1')],
]);

test.each([
  ['$tenant', 'acme'],
  ['${tenant}.x', 'acme.x'],
  ['$tenants', undefined],
  ['${tenant:singlequote}', "'acme'"],
  ['${quote:singlequote}', "'o\\'brien\\\\x'"],
  ['${namespace:singlequote}', "'a.acme','b.acme'"],
  ['${namespace:csv}', 'a.acme,b.acme'],
  ['${namespace:pipe}', 'a.acme|b.acme'],
  ['${namespace:regex}', '(a\\.acme|b\\.acme)'],
  ['${tenant:unheard}', undefined],
])('%s is written as Grafana writes it', (text, expected) => {
  const write = () => interpolate(text, variables, textFormat);
  if (expected === undefined) expect(write).toThrow(/is no variable|is not known/);
  else expect(write()).toBe(expected);
});

describe('without a format', () => {
  test('Prometheus gets one value as a string and several as an alternation', () => {
    const expression = 'x{a="$tenant", b=~"$namespace", c=~"$single", d="$quote"}';
    expect(interpolate(expression, variables, prometheusFormat)).toBe(
      'x{a="acme", b=~"(a\\\\.acme|b\\\\.acme)", c=~"/cell-1", d="o\'brien\\\\x"}',
    );
  });

  test('ClickHouse gets one value bare and several in quotes', () => {
    expect(interpolate('$tenant $namespace', variables, clickhouseFormat)).toBe("acme 'a.acme','b.acme'");
  });

  test('a title says all when everything is chosen', () => {
    const all = new Map([['namespace', { values: ['a', 'b'], multi: true, all: true }]]);
    expect(interpolate('$namespace', all, textFormat)).toBe('all');
  });
});

test('the names of a text are listed once each', () => {
  expect(namesIn('$a ${b:regex} $a {{c}}')).toEqual(['a', 'b']);
});
