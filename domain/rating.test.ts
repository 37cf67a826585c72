import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDecimal } from './decimal.ts';
import { METERS, type MeterName } from './meter.ts';
import { PLAN_IDS, PLANS, type PlanId, type Price } from './price-book.ts';
import { planFee, rateMeter, ratePeriod, roundingBoundMinor, sumLines } from './rating.ts';

const MILLION = 10_000_000n;
const business = PLANS.business;
const quantities = (over: Partial<Record<MeterName, bigint>>) => ({
  actions: 0n,
  active_storage: 0n,
  retained_storage: 0n,
  ...over,
});

describe('golden amounts of the public price list', () => {
  test('11.25 million excess actions cost $525', () => {
    const lines = rateMeter(business.prices.actions, 25_000_000n + 11n * MILLION + MILLION / 4n);
    expect(lines.map((line) => line.amountMinor)).toEqual([0n, 25_000n, 22_500n, 5_000n]);
    expect(sumLines(lines)).toBe(52_500n);
  });

  test('720 GBh active and 3,600 GBh retained cost $34.02', () => {
    const developer = PLANS.developer.prices;
    const lines = [
      ...rateMeter(developer.active_storage, 720_000n),
      ...rateMeter(developer.retained_storage, 3_600_000n),
    ];
    expect(sumLines(lines)).toBe(3402n);
  });

  test('Business with $6,000 of usage pays a fee of $600', () => {
    expect(planFee(business.fee, 600_000n)).toBe(60_000n);
  });

  test('Business with little usage pays the minimum of $500', () => {
    expect(planFee(business.fee, 100n)).toBe(50_000n);
  });

  test('Developer with 10,000 actions pays $0.55', () => {
    expect(ratePeriod(termsOf('developer'), quantities({ actions: 100_000n })).totalMinor).toBe(55n);
  });
});

const quantity = fc.bigInt({ min: 0n, max: 20n * 100_000_000n });
const price = fc.constantFrom<Price>(...Object.values(PLANS).flatMap((plan) => METERS.map((m) => plan.prices[m])));
const termsOf = (planId: PlanId) => ({ ...PLANS[planId], planId });

describe('laws of rating', () => {
  test('more usage never costs less', () => {
    fc.assert(
      fc.property(price, quantity, fc.bigInt({ min: 0n, max: 10_000_000n }), (p, q, more) => {
        expect(sumLines(rateMeter(p, q + more))).toBeGreaterThanOrEqual(sumLines(rateMeter(p, q)));
      }),
    );
  });

  test('the quantities of the lines add up to the usage', () => {
    fc.assert(
      fc.property(price, quantity, (p, q) => {
        expect(rateMeter(p, q).reduce((sum, line) => sum + line.quantity, 0n)).toBe(q);
      }),
    );
  });

  test('a tier boundary belongs to the lower tier: the unit behind it opens the next', () => {
    for (const { tiers, ...rest } of Object.values(PLANS).flatMap((plan) => METERS.map((m) => plan.prices[m]))) {
      for (const [index, tier] of tiers.entries()) {
        if (tier.upTo === null) continue;
        expect(rateMeter({ tiers, ...rest }, tier.upTo).at(-1)?.tier).toBe(index);
        expect(rateMeter({ tiers, ...rest }, tier.upTo + 1n).at(-1)?.tier).toBe(index + 1);
      }
    }
  });

  test('how a total was split into events does not change its price', () => {
    fc.assert(
      fc.property(price, fc.array(quantity, { minLength: 1, maxLength: 8 }), (p, parts) => {
        const total = parts.reduce((a, b) => a + b, 0n);
        const reordered = parts.toReversed().reduce((a, b) => a + b, 0n);
        expect(rateMeter(p, total)).toEqual(rateMeter(p, reordered));
      }),
    );
  });

  test('splitting a bill in two moves a flat price by no more than the rounding of its lines', () => {
    const flat: Price = { id: 'flat', meter: 'actions', tiers: [{ upTo: null, unitAmount: parseDecimal('0.0005') }] };
    fc.assert(
      fc.property(quantity, quantity, (a, b) => {
        const apart = sumLines(rateMeter(flat, a)) + sumLines(rateMeter(flat, b));
        const together = sumLines(rateMeter(flat, a + b));
        const gap = apart > together ? apart - together : together - apart;
        expect(gap).toBeLessThanOrEqual(roundingBoundMinor(3));
      }),
    );
  });

  test('an invoice adds up on the page', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PLAN_IDS), quantity, quantity, (plan, a, s) => {
        const rated = ratePeriod(termsOf(plan), quantities({ actions: a, active_storage: s }));
        expect(sumLines(rated.lines) + rated.feeMinor).toBe(rated.totalMinor);
      }),
    );
  });
});
