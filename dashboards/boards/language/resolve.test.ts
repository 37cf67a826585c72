import { expect, test } from 'vitest';
import { computeIntervalMs, resolvePromql, resolveSql } from './resolve.ts';

const fromMs = Date.parse('2026-10-01T00:00:00.000Z');
const window = { fromMs, toMs: fromMs + 7_200_000, intervalMs: 30_000, scrapeMs: 15_000 };
const variables = new Map([['tenant', { values: ['acme'], multi: false, all: false }]]);

test('a rate covers four scrapes at least, and a point more than a point is wide', () => {
  expect(resolvePromql('rate(a[$__rate_interval])', variables, window)).toBe('rate(a[60000ms])');
  expect(resolvePromql('rate(a[$__rate_interval])', variables, { ...window, intervalMs: 300_000 })).toBe(
    'rate(a[315000ms])',
  );
});

test('the whole range is the chosen one', () => {
  expect(resolvePromql('increase(a{t="$tenant"}[$__range])', variables, window)).toBe('increase(a{t="acme"}[7200s])');
});

test('a statement loses its comments, and a value that looks like a macro stays a value', () => {
  const odd = new Map([['tenant', { values: ['$__fromTime'], multi: false, all: false }]]);
  const sql = '-- $__unheard\nSELECT ${tenant:singlequote}, $__interval_s\n';
  expect(resolveSql(sql, odd, window)).toBe("SELECT '$__fromTime', 30");
});

test.each([
  [3_600_000, 240, 15_000, 15_000],
  [30 * 86_400_000, 240, 15_000, 3 * 3_600_000],
  [60_000, 240, 1_000, 1_000],
  [86_400_000, 240, 3_600_000, 3_600_000],
])('%i ms in at most %i points of at least %i ms gives points of %i ms', (rangeMs, points, smallestMs, expected) => {
  expect(computeIntervalMs(rangeMs, points, smallestMs)).toBe(expected);
});
