import { describe, expect, test } from 'vitest';
import { hourOf, nextPeriod, parsePeriod, periodContains, periodOf, previousPeriod, toIso } from './period.ts';

describe('a billing period', () => {
  test('is a UTC month wherever the process runs', () => {
    const october = parsePeriod('2026-10');
    expect(toIso(october.startAtMs)).toBe('2026-10-01T00:00:00.000Z');
    expect(toIso(october.endAtMs)).toBe('2026-11-01T00:00:00.000Z');
    expect(periodOf(october.endAtMs - 1)).toEqual(october);
  });

  test('is half-open: its end belongs to the next', () => {
    const october = parsePeriod('2026-10');
    expect(periodContains(october, october.startAtMs)).toBe(true);
    expect(periodContains(october, october.endAtMs)).toBe(false);
    expect(periodContains(nextPeriod(october), october.endAtMs)).toBe(true);
  });

  test('crosses the year in both directions', () => {
    expect(nextPeriod(parsePeriod('2026-12')).key).toBe('2027-01');
    expect(previousPeriod(parsePeriod('2027-01')).key).toBe('2026-12');
  });

  test.each(['2026-13', '2026-1', '26-10', '2026-10-01', ''])('"%s" is refused with the way to write it', (key) => {
    expect(() => parsePeriod(key)).toThrow('YYYY-MM');
  });

  test('hours are UTC hours', () => {
    expect(toIso(hourOf(Date.UTC(2026, 9, 3, 12, 59, 59, 999)))).toBe('2026-10-03T12:00:00.000Z');
  });
});
