import { expect, test } from 'vitest';
import { parsePeriod } from '../../domain/period.ts';
import { termsAt } from '../../domain/price-book.ts';
import { comparePeriodSides, fromPeriodRecord, toPeriodRecord, type PeriodSides } from './period-sides.ts';

const period = parsePeriod('2026-10');
const ofAcme = { account: 'acme', namespace: 'main.acme', meter: 'actions' as const };

/** Two million tenths late, at 0.0005 cents each: 10.00. */
const sides = (settled: PeriodSides['settled']): PeriodSides => ({
  totals: [{ ...ofAcme, quantity: 24_000_000n, events: 3n }],
  late: [{ ...ofAcme, closed: 24_000_000n, withLate: 26_000_000n }],
  ingest: { messages: 4n, accepted: 4n, rejected: 0n, rejectedByReason: {}, conflicts: 0n, unique: 4n },
  emitted: null,
  announced: [],
  miscounts: { rollups: [], duplicates: [] },
  accounts: [{ id: 'acme', currency: 'usd', terms: termsAt('acme', 'developer', [], period.startAtMs) }],
  settled,
});
const late = (amountMinor: bigint) => ({
  code: 'USAGE_LATE' as const,
  account: 'acme',
  meter: 'actions' as const,
  amountMinor,
});
const moneyOf = (of: PeriodSides) => comparePeriodSides(of).map(({ code, amountMinor }) => [code, amountMinor]);

test('what a repair settled is no difference any more, and more that came since is', () => {
  expect(moneyOf(sides([]))).toEqual([['USAGE_LATE', 1_000n]]);
  expect(moneyOf(sides([late(1_000n)]))).toEqual([]);
  expect(moneyOf(sides([late(400n)]))).toEqual([['USAGE_LATE', 600n]]);
  expect(moneyOf(sides([late(400n), late(600n)]))).toEqual([]);
  expect(
    moneyOf(
      sides([
        { ...late(1_000n), account: 'other' },
        { ...late(1_000n), meter: null },
      ]),
    ),
  ).toEqual([['USAGE_LATE', 1_000n]]);
});

test('it comes out of the stored record as it went in', () => {
  const whole = sides([late(-5n), { ...late(1n), meter: null }]);
  expect(fromPeriodRecord(toPeriodRecord(whole))).toEqual(whole);
});
