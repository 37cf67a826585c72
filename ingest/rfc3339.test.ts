import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRfc3339 } from './rfc3339.ts';

const anyInstant = fc.integer({ min: Date.UTC(2002, 0, 2), max: Date.UTC(2105, 11, 30) });

describe('parseRfc3339', () => {
  test('reads every instant the store can hold as the platform writes it', () => {
    fc.assert(fc.property(anyInstant, (atMs) => parseRfc3339(new Date(atMs).toISOString()) === atMs));
  });

  test('reads the same instant at any offset and in lower case', () => {
    const anyOffset = fc.integer({ min: -(24 * 60 - 1), max: 24 * 60 - 1 });
    const instantAndOffset = fc.tuple(anyInstant, anyOffset);
    fc.assert(
      fc.property(instantAndOffset, ([atMs, offset]) => {
        const local = new Date(atMs + offset * 60_000).toISOString().slice(0, -1).toLowerCase();
        const size = Math.abs(offset);
        const hours = String(Math.trunc(size / 60)).padStart(2, '0');
        const minutes = String(size % 60).padStart(2, '0');
        return parseRfc3339(`${local}${offset < 0 ? '-' : '+'}${hours}:${minutes}`) === atMs;
      }),
    );
  });

  test('takes no, one, two or three digits of a second', () => {
    const secondMs = Date.UTC(2026, 9, 3, 12, 34, 56);
    expect(parseRfc3339('2026-10-03T12:34:56Z')).toBe(secondMs);
    expect(parseRfc3339('2026-10-03T12:34:56.7Z')).toBe(secondMs + 700);
    expect(parseRfc3339('2026-10-03T12:34:56.78+00:00')).toBe(secondMs + 780);
    expect(parseRfc3339('2026-10-03T12:34:56.789-00:00')).toBe(secondMs + 789);
  });

  test('knows leap days', () => {
    expect(parseRfc3339('2028-02-29T00:00:00Z')).toBe(Date.UTC(2028, 1, 29));
    expect(parseRfc3339('2028-03-01T00:00:00Z')).toBe(Date.UTC(2028, 2, 1));
    expect(parseRfc3339('2026-02-29T00:00:00Z')).toBeUndefined();
    expect(parseRfc3339('2100-02-29T00:00:00Z')).toBeUndefined();
  });

  test.each([
    '',
    'yesterday',
    '1791030896789',
    '2026-10-03',
    '2026-10-03T12:34:56',
    '2026-10-03 12:34:56Z',
    '2026-10-03T12:34:56.Z',
    '2026-10-03T12:34:56.1234Z',
    '2026-10-03T12:34:56,789Z',
    '2026-10-03T12:34Z',
    '2026-10-03T12:34:60Z',
    '2026-10-03T12:60:00Z',
    '2026-10-03T24:00:00Z',
    '2026-10-00T00:00:00Z',
    '2026-10-32T00:00:00Z',
    '2026-11-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '26-10-03T12:34:56.789Z',
    '+2026-10-03T12:34:56Z',
    '2026-1x-03T12:34:56Z',
    '2026-10-03T12:34:56ZZ',
    '2026-10-03T12:34:56Z ',
    ' 2026-10-03T12:34:56Z',
    '2026-10-03T12:34:56+0200',
    '2026-10-03T12:34:56+02',
    '2026-10-03T12:34:56+24:00',
    '2026-10-03T12:34:56+02:60',
    '2026-10-03T12:34:56*02:00',
    '２026-10-03T12:34:56Z',
    '2001-12-31T23:59:59Z',
    '2106-01-01T00:00:00Z',
    '0099-10-03T12:34:56Z',
  ])('refuses "%s"', (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });

  test('never throws and never returns what is not a whole number', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        const atMs = parseRfc3339(text);
        return atMs === undefined || Number.isInteger(atMs);
      }),
    );
  });
});
