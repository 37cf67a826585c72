import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../domain/agreement.ts';
import { HOUR_MS, parsePeriod } from '../../domain/period.ts';
import { PLANS, type PlanId } from '../../domain/price-book.ts';
import { formatCsv } from '../report-files/csv.ts';
import { computeAccrual, sumUnbilled, type AccrualPosition } from './accrual.ts';
import { accrualTable } from './tables.ts';

const period = parsePeriod('2026-10');
const at = (day: number, hour = 0) => Date.UTC(2026, 9, day, hour);
const agreement = (planId: PlanId, over: Partial<Agreement> = {}): Agreement => ({
  account: 'acme',
  currency: 'usd',
  period,
  segments: [
    {
      startAtMs: period.startAtMs,
      endAtMs: period.endAtMs,
      terms: { planId, prices: PLANS[planId].prices, fee: PLANS[planId].fee },
      standing: 'active',
    },
  ],
  discount: null,
  taxBasisPoints: null,
  commitmentMinor: null,
  grants: [],
  state: 'active',
  ...over,
});
const position = (over: Partial<AccrualPosition> = {}): AccrualPosition => ({
  agreement: agreement('business'),
  hours: [
    { meter: 'actions', hourAtMs: at(3), quantity: 75_000_000n },
    { meter: 'actions', hourAtMs: at(20), quantity: 50_000_000n },
  ],
  adjustments: [],
  invoiced: [],
  ...over,
});
const amounts = (of: AccrualPosition, atMs: number) => {
  const { earnedMinor, creditMinor, invoicedMinor, unbilledMinor } = computeAccrual(of, atMs);
  return [earnedMinor, creditMinor, invoicedMinor, unbilledMinor];
};

describe('the unbilled accrual', () => {
  test('is usage and minimum fee by the day while the period is open', () => {
    // 5 of 7.5 million actions at $50 a million; 10 of 31 days of $500.
    expect(amounts(position(), at(11))).toEqual([25_000n + 16_129n, 0n, 0n, 41_129n]);
    // The next 5 million at $45 a million, and the whole minimum.
    expect(amounts(position(), period.endAtMs)).toEqual([47_500n + 50_000n, 0n, 0n, 97_500n]);
  });

  test('leaves out usage of hours that had not begun', () => {
    expect(amounts(position(), at(20))).toEqual(amounts(position({ hours: position().hours.slice(0, 1) }), at(20)));
    expect(amounts(position(), at(20) + HOUR_MS)[0]).toBeGreaterThan(amounts(position(), at(20))[0] ?? 0n);
  });

  test('is nothing in the first instant, and nothing once the invoice is finalized', () => {
    expect(amounts(position(), period.startAtMs)).toEqual([0n, 0n, 0n, 0n]);
    const finalizedAtMs = period.endAtMs + 48 * HOUR_MS;
    const invoiced = [{ finalizedAtMs, netMinor: 97_500n }];
    expect(amounts(position({ invoiced }), finalizedAtMs - 1)).toEqual([97_500n, 0n, 0n, 97_500n]);
    expect(amounts(position({ invoiced }), finalizedAtMs)).toEqual([97_500n, 0n, 97_500n, 0n]);
  });

  test('stays open for a draft, and shows what was invoiced too much or too little', () => {
    expect(amounts(position({ invoiced: [{ finalizedAtMs: null, netMinor: 97_500n }] }), period.endAtMs)[3]).toBe(
      97_500n,
    );
    const finalized = (netMinor: bigint) => position({ invoiced: [{ finalizedAtMs: period.endAtMs, netMinor }] });
    expect(amounts(finalized(97_400n), period.endAtMs)[3]).toBe(100n);
    expect(amounts(finalized(97_750n), period.endAtMs)[3]).toBe(-250n);
  });

  test('counts no tax, and neither discounts nor what prepaid credit pays', () => {
    const grant = {
      id: 'prepaid',
      amountMinor: 20_000n,
      remainingMinor: 20_000n,
      priority: 0,
      effectiveAtMs: 0,
      expiresAtMs: null,
    };
    const terms = agreement('business', {
      discount: { kind: 'percent', basisPoints: 1_000n },
      taxBasisPoints: 1_900n,
      grants: [grant],
    });
    expect(amounts(position({ agreement: terms }), period.endAtMs)).toEqual([87_750n, 20_000n, 0n, 67_750n]);
  });

  test('is kept apart by currency, and written in its decimals', () => {
    const yen = position({ agreement: agreement('developer', { account: 'kiri', currency: 'jpy' }) });
    const rows = [computeAccrual(position(), at(11)), computeAccrual(yen, at(11))];
    expect([...sumUnbilled(rows)]).toEqual([
      ['usd', 41_129n],
      ['jpy', 41_250n],
    ]);
    expect(formatCsv(accrualTable(rows, at(11)))).toBe(
      'at,account,period,currency,earned,covered_by_credit,invoiced,unbilled\r\n' +
        '2026-10-11T00:00:00.000Z,acme,2026-10,usd,411.29,0.00,0.00,411.29\r\n' +
        '2026-10-11T00:00:00.000Z,kiri,2026-10,jpy,41250,0,0,41250\r\n',
    );
  });
});
