import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { METERS, type MeterName } from '../../domain/meter.ts';
import { parsePeriod } from '../../domain/period.ts';
import { PLAN_IDS, PLANS, type Price, type Terms } from '../../domain/price-book.ts';
import { rateMeter, ratePeriod, sumLines, type MeterQuantities } from '../../domain/rating.ts';
import type { BilledLine } from '../billing/port.ts';
import { compareInvoice, type InvoiceSides } from './invoice.ts';

const period = parsePeriod('2026-10');
const termsOf = (planId: (typeof PLAN_IDS)[number]): Terms => ({ ...PLANS[planId], planId });

function billed(price: Price, quantity: bigint): BilledLine[] {
  return rateMeter(price, quantity).map((line) => ({
    meter: line.meter,
    priceId: line.priceId,
    startAtMs: period.startAtMs,
    endAtMs: period.endAtMs,
    quantity: line.quantity,
    amountMinor: line.amountMinor,
    planFee: false,
  }));
}

const item = (amountMinor: bigint, planFee: boolean): BilledLine => ({
  meter: null,
  priceId: null,
  startAtMs: period.startAtMs,
  endAtMs: period.endAtMs,
  quantity: 1n,
  amountMinor,
  planFee,
});

/** An invoice as it should be. */
function agreed(terms: Terms, quantities: MeterQuantities): InvoiceSides {
  const { feeMinor } = ratePeriod(terms, quantities);
  const usage = METERS.flatMap((meter) => billed(terms.prices[meter], quantities[meter]));
  const fee = feeMinor > 0n ? [item(feeMinor, true)] : [];
  const shared = { account: 'acme', currency: 'usd' as const, period, terms };
  return { ...shared, transmitted: quantities, feeMinor, lines: [...usage, ...fee] };
}

const quantity = fc.bigInt({ min: 0n, max: 2_000_000_000n });
const quantities = fc.record({ actions: quantity, active_storage: quantity, retained_storage: quantity });
const terms = fc.constantFrom(...PLAN_IDS.map(termsOf));
const money = (sides: InvoiceSides) => compareInvoice(sides).reduce((sum, found) => sum + found.amountMinor, 0n);
const codes = (sides: InvoiceSides) => compareInvoice(sides).map(({ code, meter }) => [code, meter]);
const replaceMeter = (sides: InvoiceSides, meter: MeterName, lines: BilledLine[]): InvoiceSides => ({
  ...sides,
  lines: [...sides.lines.filter((line) => line.meter !== meter), ...lines],
});

const business = termsOf('business');
const usage = { actions: 140_000_000n, active_storage: 2_000_000n, retained_storage: 5_000n };
const actions = business.prices.actions;

describe('legs L3 to L5', () => {
  test('an invoice as agreed has no difference, whatever the plan and the usage', () => {
    fc.assert(
      fc.property(terms, quantities, (t, q) => {
        expect(compareInvoice(agreed(t, q))).toEqual([]);
      }),
    );
  });

  test('the order of the lines does not matter', () => {
    const sides = agreed(business, usage);
    expect(compareInvoice({ ...sides, lines: sides.lines.toReversed() })).toEqual([]);
  });

  test("whatever the lines say, the breaks' money is exactly rated − charged", () => {
    const line = fc.record({
      meter: fc.constantFrom(...METERS, null),
      priceId: fc.constantFrom('actions-business-2026-01', 'active_storage-business-2026-01', 'other'),
      startAtMs: fc.constantFrom(period.startAtMs, 0),
      endAtMs: fc.constant(period.endAtMs),
      quantity,
      amountMinor: fc.bigInt({ min: -100_000n, max: 100_000n }),
      planFee: fc.boolean(),
    });
    fc.assert(
      fc.property(terms, quantities, fc.array(line, { maxLength: 8 }), (t, q, lines) => {
        const sides = { ...agreed(t, q), lines };
        expect(money(sides)).toBe(ratePeriod(t, q).totalMinor - sumLines(lines));
      }),
    );
  });

  test('a wrong quantity is one QTY_MISMATCH and nothing else, though amounts and tiers follow it', () => {
    const sides = replaceMeter(agreed(business, usage), 'actions', billed(actions, 60_000_000n));
    expect(codes(sides)).toEqual([['QTY_MISMATCH', 'actions']]);
    expect(money(sides)).toBe(sumLines(rateMeter(actions, 140_000_000n)) - sumLines(rateMeter(actions, 60_000_000n)));
  });

  test('a price that was not agreed is a PRICE_MISMATCH even when it comes to the same amount', () => {
    const twin = { ...actions, id: 'actions-twin' };
    const same = replaceMeter(agreed(business, usage), 'actions', billed(twin, usage.actions));
    expect(codes(same)).toEqual([['PRICE_MISMATCH', 'actions']]);
    expect(money(same)).toBe(0n);
    const flat = PLANS.developer.prices.actions;
    const dearer = replaceMeter(agreed(business, usage), 'actions', billed(flat, usage.actions));
    expect(codes(dearer)).toEqual([['PRICE_MISMATCH', 'actions']]);
    expect(money(dearer)).toBeLessThan(0n);
  });

  test('an ignored first boundary is a TIER_MISMATCH', () => {
    const shifted = { ...actions, tiers: actions.tiers.slice(1) };
    const sides = replaceMeter(agreed(business, usage), 'actions', billed(shifted, usage.actions));
    expect(codes(sides)).toEqual([['TIER_MISMATCH', 'actions']]);
    expect(money(sides)).toBe(-12_500n);
  });

  test('a cent within half a cent per line is ROUNDING, a cent beyond it is not', () => {
    const sides = agreed(business, { ...usage, actions: 25_000_001n });
    const off = (by: bigint) => ({
      ...sides,
      lines: sides.lines.map((line, index) => (index === 0 ? { ...line, amountMinor: line.amountMinor - by } : line)),
    });
    expect(codes(off(1n))).toEqual([['ROUNDING', 'actions']]);
    expect(codes(off(-1n))).toEqual([['ROUNDING', 'actions']]);
    expect(codes(off(2n))).toEqual([['TIER_MISMATCH', 'actions']]);
  });

  test('a quantity and a price wrong at once are two breaks that share nothing', () => {
    const flat = PLANS.developer.prices.actions;
    const sides = replaceMeter(agreed(business, usage), 'actions', billed(flat, 60_000_000n));
    expect(codes(sides)).toEqual([
      ['QTY_MISMATCH', 'actions'],
      ['PRICE_MISMATCH', 'actions'],
    ]);
  });

  test('usage that L2 has named already is not told again as a wrong quantity', () => {
    const sides = agreed(business, usage);
    const transmitted = { ...usage, actions: 60_000_000n };
    expect(codes({ ...replaceMeter(sides, 'actions', billed(actions, 60_000_000n)), transmitted })).toEqual([]);
  });

  test('a missing, doubled or foreign item is a quantity difference of no meter, another fee a tier difference', () => {
    const sides = agreed(business, usage);
    const withoutFee = sides.lines.filter((line) => !line.planFee);
    const fee = item(sides.feeMinor, true);
    expect(codes({ ...sides, lines: withoutFee })).toEqual([['QTY_MISMATCH', null]]);
    expect(codes({ ...sides, lines: [...withoutFee, fee, fee] })).toEqual([['QTY_MISMATCH', null]]);
    expect(codes({ ...sides, lines: [...withoutFee, item(sides.feeMinor, false)] })).toEqual([['QTY_MISMATCH', null]]);
    expect(codes({ ...sides, lines: [...withoutFee, item(sides.feeMinor - 1n, true)] })).toEqual([
      ['TIER_MISMATCH', null],
    ]);
  });

  test('a line of another period is not taken for usage of this one', () => {
    const sides = agreed(business, usage);
    const stray = billed(actions, 10n).map((line) => ({ ...line, startAtMs: line.startAtMs - 1, amountMinor: 7n }));
    expect(codes({ ...sides, lines: [...sides.lines, ...stray] })).toEqual([['QTY_MISMATCH', null]]);
  });
});
