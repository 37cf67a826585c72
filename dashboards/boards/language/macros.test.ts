import { describe, expect, test } from 'vitest';
import { applyConditions, expandMacros } from './macros.ts';

const fromMs = Date.parse('2026-10-01T00:00:00.000Z');
const window = { fromMs, toMs: fromMs + 3_600_500, intervalMs: 20_000 };

// Left and right as the plugin's documentation lists them.
test.each([
  ['$__fromTime', 'toDateTime(1790812800)'],
  ['$__toTime', 'toDateTime(1790816400)'],
  ['$__fromTime_ms', 'fromUnixTimestamp64Milli(1790812800000)'],
  ['$__toTime_ms', 'fromUnixTimestamp64Milli(1790816400500)'],
  ['$__timeFilter(hour)', 'hour >= toDateTime(1790812800) AND hour <= toDateTime(1790816400)'],
  [
    '$__timeFilter_ms(at)',
    'at >= fromUnixTimestamp64Milli(1790812800000) AND at <= fromUnixTimestamp64Milli(1790816400500)',
  ],
  ['$__dateFilter(day)', "day >= toDate('2026-10-01') AND day <= toDate('2026-10-01')"],
  ['$__timeInterval(hour)', 'toStartOfInterval(toDateTime(hour), INTERVAL 20 second)'],
  ['$__interval_s', '20'],
  ['$__timeFilter(a, b)', undefined],
  ['$__unheard(a)', undefined],
  ['$__timeFilter(a', undefined],
])('%s expands as the plugin expands it', (macro, expected) => {
  if (expected === undefined) expect(() => expandMacros(macro, window)).toThrow(/macro/);
  else expect(expandMacros(macro, window)).toBe(expected);
});

test('a macro may stand in the argument of another, and twice in a statement', () => {
  expect(expandMacros('$__timeFilter(minus($__interval_s)) OR $__interval_s = 1', window)).toBe(
    'minus(20) >= toDateTime(1790812800) AND minus(20) <= toDateTime(1790816400) OR 20 = 1',
  );
});

test('a point is a second wide at least', () => {
  expect(expandMacros('$__interval_s', { ...window, intervalMs: 40 })).toBe('1');
});

describe('$__conditionalAll', () => {
  const sql = 'WHERE $__conditionalAll(namespace IN (${namespace:singlequote}), $namespace) AND x';
  const chosen = (all: boolean) => new Map([['namespace', { values: ['a'], multi: true, all }]]);

  test('keeps its condition while some values are chosen', () => {
    expect(applyConditions(sql, chosen(false))).toBe('WHERE namespace IN (${namespace:singlequote}) AND x');
  });

  test('asks nothing when everything is chosen', () => {
    expect(applyConditions(sql, chosen(true))).toBe('WHERE 1=1 AND x');
  });

  test('names a variable that exists', () => {
    expect(() => applyConditions('$__conditionalAll(a, $other)', chosen(true))).toThrow(/condition and a variable/);
  });
});
