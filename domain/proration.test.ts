import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY_MS, parsePeriod } from './period.ts';
import { countDays, countDaysOfPeriod } from './proration.ts';

const october = parsePeriod('2026-10');
const at = (day: number, hour = 0) => Date.UTC(2026, 9, day, hour);

describe('days of a month', () => {
  test.each([
    ['2026-10', 31n],
    ['2026-11', 30n],
    ['2027-02', 28n],
    ['2028-02', 29n],
  ])('%s has %i', (key, days) => {
    expect(countDaysOfPeriod(parsePeriod(key))).toBe(days);
  });

  test('a day on which something changed belongs to what came last', () => {
    const spans = [
      { startAtMs: october.startAtMs, endAtMs: at(12, 14) },
      { startAtMs: at(12, 14), endAtMs: at(12, 15) },
      { startAtMs: at(12, 15), endAtMs: october.endAtMs },
    ];
    expect(countDays(october, spans)).toEqual([11n, 0n, 20n]);
  });

  test('a change at midnight leaves the day before whole', () => {
    const spans = [
      { startAtMs: october.startAtMs, endAtMs: at(15) },
      { startAtMs: at(15), endAtMs: october.endAtMs },
    ];
    expect(countDays(october, spans)).toEqual([14n, 17n]);
  });

  test('the first day of an account counts wholly, the days before it for nobody', () => {
    expect(countDays(october, [{ startAtMs: at(18, 13), endAtMs: october.endAtMs }])).toEqual([14n]);
  });

  test('add up to the month, wherever it is cut', () => {
    const cut = fc.integer({ min: 1, max: 31 * DAY_MS - 1 });
    fc.assert(
      fc.property(fc.uniqueArray(cut, { maxLength: 40 }), (cuts) => {
        const bounds = [0, ...cuts.sort((a, b) => a - b), 31 * DAY_MS].map((offset) => october.startAtMs + offset);
        const spans = bounds.slice(1).map((endAtMs, index) => ({ startAtMs: bounds[index] ?? 0, endAtMs }));
        expect(countDays(october, spans).reduce((sum, days) => sum + days, 0n)).toBe(31n);
      }),
    );
  });
});
