import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeAgreement, type Agreement, type AgreementHistory, type AgreementSegment } from './agreement.ts';
import { METERS } from './meter.ts';
import { parsePeriod } from './period.ts';
import { PLAN_IDS, PLANS, type PlanId, type Price, type Terms } from './price-book.ts';
import { computeExpectedInvoice, computeGrantUse } from './rating-invoice.ts';
import { rateMeter, ratePeriod, roundingBoundMinor, sumLines, type MeterQuantities } from './rating.ts';

const period = parsePeriod('2026-10');
const at = (day: number, hour = 0) => Date.UTC(2026, 9, day, hour);
const termsOf = (planId: PlanId): Terms => ({ planId, prices: PLANS[planId].prices, fee: PLANS[planId].fee });
const used = (actions: bigint, active = 0n, retained = 0n): MeterQuantities => ({
  actions,
  active_storage: active,
  retained_storage: retained,
});
const added = (a: MeterQuantities, b: MeterQuantities) =>
  used(a.actions + b.actions, a.active_storage + b.active_storage, a.retained_storage + b.retained_storage);
const segment = (startAtMs: number, endAtMs: number, terms: Terms): AgreementSegment => ({
  startAtMs,
  endAtMs,
  terms,
  standing: 'active',
});
const agreement = (over: Partial<Agreement> = {}): Agreement => ({
  account: 'acme',
  currency: 'usd',
  period,
  segments: [segment(period.startAtMs, period.endAtMs, termsOf('business'))],
  discount: null,
  taxBasisPoints: null,
  commitmentMinor: null,
  grants: [],
  state: 'active',
  ...over,
});
const halves = (first: Terms, second: Terms) =>
  agreement({ segments: [segment(period.startAtMs, at(16), first), segment(at(16), period.endAtMs, second)] });

/** Up to far beyond 2^64. */
const quantity = fc.oneof(fc.bigInt({ min: 0n, max: 3_000_000_000n }), fc.bigInt({ min: 0n, max: 2n ** 100n }));
const quantities = fc.tuple(quantity, quantity, quantity).map(([a, s, r]) => used(a, s, r));
const plan = fc.constantFrom(...PLAN_IDS);
const minor = fc.bigInt({ min: 0n, max: 10n ** 12n });

describe('the expected invoice', () => {
  test('is what ratePeriod says for a month under one plan and nothing else', () => {
    fc.assert(
      fc.property(plan, quantities, (planId, usage) => {
        const terms = termsOf(planId);
        const simple = agreement({ segments: [segment(period.startAtMs, period.endAtMs, terms)] });
        const invoice = computeExpectedInvoice(simple, [usage], []);
        const rated = ratePeriod(terms, usage);
        const usageLines = invoice.lines.filter((line) => line.kind === 'usage');
        expect(
          usageLines.map(({ meter, priceId, quantity, amountMinor }) => [meter, priceId, quantity, amountMinor]),
        ).toEqual(
          rated.lines.map(({ meter, priceId, quantity, amountMinor }) => [meter, priceId, quantity, amountMinor]),
        );
        expect(sumLines(invoice.lines.filter((line) => line.kind === 'plan_fee'))).toBe(rated.feeMinor);
        expect(invoice.totalMinor).toBe(rated.totalMinor);
      }),
    );
  });

  test('does not change where a segment begins in which nothing changes', () => {
    fc.assert(
      fc.property(plan, quantities, quantities, (planId, first, second) => {
        const terms = termsOf(planId);
        const whole = agreement({ segments: [segment(period.startAtMs, period.endAtMs, terms)] });
        const split = computeExpectedInvoice(halves(terms, terms), [first, second], []);
        expect(split).toEqual(computeExpectedInvoice(whole, [added(first, second)], []));
      }),
    );
  });

  test('moves by no more than the rounding of its lines when a flat price is replaced by its equal', () => {
    const terms = termsOf('developer');
    const renamed = Object.fromEntries(
      METERS.map((meter): [string, Price] => [meter, { ...terms.prices[meter], id: `${meter}-renamed` }]),
    ) as Terms['prices'];
    fc.assert(
      fc.property(quantities, quantities, (first, second) => {
        const split = computeExpectedInvoice(halves(terms, { ...terms, prices: renamed }), [first, second], []);
        const lines = split.lines.filter((line) => line.kind !== 'plan_fee');
        const whole = ratePeriod(terms, added(first, second));
        const gap = sumLines(lines) - whole.usageMinor;
        expect(gap < 0n ? -gap : gap).toBeLessThanOrEqual(roundingBoundMinor(lines.length + whole.lines.length));
      }),
    );
  });

  test('grants the allowance anew with every price, as the biller rates each price by itself', () => {
    const change = halves(termsOf('business'), termsOf('enterprise'));
    const invoice = computeExpectedInvoice(change, [used(25_000_000n), used(100_000_000n)], []);
    expect(invoice.lines.map(({ kind, quantity, amountMinor }) => [kind, quantity, amountMinor])).toEqual([
      ['proration', 25_000_000n, 0n],
      ['usage', 100_000_000n, 0n],
      ['usage', 0n, 0n],
      ['usage', 0n, 0n],
      // 15/31 of $500 and 16/31 of $2,000.
      ['plan_fee', 1n, 127_419n],
    ]);
  });

  test('never falls when more was used', () => {
    fc.assert(
      fc.property(plan, plan, fc.tuple(quantities, quantities, quantities), (one, other, [first, second, more]) => {
        const change = halves(termsOf(one), termsOf(other));
        const before = computeExpectedInvoice(change, [first, second], []).totalMinor;
        expect(computeExpectedInvoice(change, [first, added(second, more)], []).totalMinor).toBeGreaterThanOrEqual(
          before,
        );
      }),
    );
  });

  test('refuses to be computed when the usage of a segment is unknown', () => {
    expect(() => computeExpectedInvoice(halves(termsOf('business'), termsOf('developer')), [used(1n)], [])).toThrow(
      'usage of 1 of 2 segments is known',
    );
  });
});

describe('reductions and tax', () => {
  const discount = fc.oneof(
    fc.constant(null),
    fc.bigInt({ min: 0n, max: 10_000n }).map((basisPoints) => ({ kind: 'percent' as const, basisPoints })),
    minor.map((amountMinor) => ({ kind: 'amount' as const, amountMinor })),
  );
  const grants = fc.array(fc.tuple(minor, fc.nat(100)), { maxLength: 4 }).map((entries) =>
    entries.map(([remainingMinor, priority], index) => ({
      id: `grant-${index}`,
      amountMinor: remainingMinor,
      remainingMinor,
      priority,
      effectiveAtMs: 0,
      expiresAtMs: null,
    })),
  );
  const agreed = fc
    .record({ discount, grants, taxBasisPoints: fc.bigInt({ min: 0n, max: 3_000n }), commitmentMinor: minor })
    .map((over) => agreement(over));
  const cases = fc.array(fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }), { maxLength: 3 }).map((amounts) =>
    amounts.map((amountMinor, index) => ({
      caseId: `case-${index}`,
      meter: 'actions' as const,
      startAtMs: 0,
      endAtMs: 1,
      amountMinor,
    })),
  );

  test('add up on the page, and take no line below nothing', () => {
    fc.assert(
      fc.property(agreed, quantities, cases, (terms, usage, adjustments) => {
        const invoice = computeExpectedInvoice(terms, [usage], adjustments);
        let total = 0n;
        for (const line of invoice.lines) {
          const net = line.amountMinor - line.discountMinor - line.creditMinor;
          if (line.kind !== 'adjustment') expect(net).toBeGreaterThanOrEqual(0n);
          if (line.kind !== 'usage') expect(line.creditMinor).toBe(0n);
          if (line.kind === 'adjustment' || line.kind === 'commitment') expect(line.discountMinor).toBe(0n);
          total += net + line.taxMinor;
        }
        expect(invoice.totalMinor).toBe(total);
        const spent = computeGrantUse(invoice, terms.grants).reduce((sum, use) => sum + use.amountMinor, 0n);
        expect(spent).toBe(invoice.creditMinor);
      }),
    );
  });

  test('a fixed amount is spread to the last minor unit, and what exceeds the lines is not given', () => {
    fc.assert(
      fc.property(quantities, minor, (usage, amountMinor) => {
        const invoice = computeExpectedInvoice(agreement({ discount: { kind: 'amount', amountMinor } }), [usage], []);
        expect(invoice.discountMinor).toBe(amountMinor < invoice.subtotalMinor ? amountMinor : invoice.subtotalMinor);
      }),
    );
  });

  test('a promised spend is reached exactly, or exceeded by usage and fee alone', () => {
    fc.assert(
      fc.property(quantities, minor, (usage, commitmentMinor) => {
        const own = computeExpectedInvoice(agreement(), [usage], []).subtotalMinor;
        const invoice = computeExpectedInvoice(agreement({ commitmentMinor }), [usage], []);
        expect(invoice.subtotalMinor).toBe(own > commitmentMinor ? own : commitmentMinor);
      }),
    );
  });
});

describe('the laws of graduated rating', () => {
  const step = fc.tuple(fc.bigInt({ min: 1n, max: 60n }), fc.bigInt({ min: 0n, max: 9n }));
  const price = fc.array(step, { minLength: 1, maxLength: 5 }).map((steps): Price => {
    let reached = 0n;
    const tiers = steps.map(([width, units]) => ({ upTo: (reached += width), unitAmount: { units, scale: 0 } }));
    return { id: 'any', meter: 'actions', tiers: [...tiers, { upTo: null, unitAmount: { units: 1n, scale: 0 } }] };
  });

  test('the lines are the price of every single unit, summed', () => {
    fc.assert(
      fc.property(price, fc.integer({ min: 0, max: 400 }), (of, quantity) => {
        let sum = 0n;
        for (let unit = 1n; unit <= BigInt(quantity); unit += 1n) {
          sum += of.tiers.find(({ upTo }) => upTo === null || unit <= upTo)?.unitAmount.units ?? 0n;
        }
        expect(sumLines(rateMeter(of, BigInt(quantity)))).toBe(sum);
      }),
    );
  });

  test('hold for quantities beyond 128 bits, to the unit', () => {
    const huge = 2n ** 128n + 12_345n;
    const lines = rateMeter(PLANS.business.prices.actions, huge);
    expect(lines.reduce((sum, line) => sum + line.quantity, 0n)).toBe(huge);
    // Everything above 1,025,000,000 tenths costs 0.00025 cents: one cent per 4,000.
    expect(lines.at(-1)?.amountMinor).toBe((2n * (huge - 1_025_000_000n) + 4_000n) / 8_000n);
  });
});

describe('an agreement', () => {
  const changes = fc.uniqueArray(fc.integer({ min: -40, max: 60 }), { minLength: 1, maxLength: 6 });

  test('does not depend on the order in which its records are told', () => {
    fc.assert(
      fc.property(changes, changes, fc.gen(), (planDays, standingDays, gen) => {
        const createdAtMs = at(1) - 90 * 86_400_000;
        const dayMs = (day: number) => at(1) + day * 86_400_000;
        const history: AgreementHistory = {
          account: 'acme',
          currency: 'usd',
          createdAtMs,
          plans: [
            { effectiveFromMs: createdAtMs, value: 'developer' },
            ...planDays.map((day) => ({ effectiveFromMs: dayMs(day), value: gen(fc.constantFrom, ...PLAN_IDS) })),
          ],
          contracts: [],
          fees: planDays.map((day) => ({ effectiveFromMs: dayMs(day), minimumMinor: gen(fc.bigInt), basisPoints: 0n })),
          standings: standingDays.map((day) => ({
            effectiveFromMs: dayMs(day),
            value: gen(fc.constantFrom, 'active' as const, 'paused' as const, 'trialing' as const),
          })),
          discounts: planDays.map((day) => ({ effectiveFromMs: dayMs(day), value: null })),
          taxes: planDays.map((day) => ({ effectiveFromMs: dayMs(day), value: BigInt(day + 40) })),
          commitments: [],
          grants: [],
          creditsUsed: [],
        };
        const told = computeAgreement(history, period);
        const { plans, fees, standings, taxes } = history;
        const reversed = {
          ...history,
          plans: plans.toReversed(),
          fees: fees.toReversed(),
          standings: standings.toReversed(),
          taxes: taxes.toReversed(),
        };
        expect(computeAgreement(reversed, period)).toEqual(told);
        expect([told.segments[0]?.startAtMs, told.segments.at(-1)?.endAtMs]).toEqual([
          period.startAtMs,
          period.endAtMs,
        ]);
        for (const [index, { startAtMs }] of told.segments.entries()) {
          if (index > 0) expect(told.segments[index - 1]?.endAtMs).toBe(startAtMs);
        }
      }),
    );
  });

  test('of an account that does not exist yet has no segment and no state', () => {
    const plans = [{ effectiveFromMs: period.endAtMs, value: 'business' as const }];
    const none = {
      contracts: [],
      fees: [],
      standings: [],
      discounts: [],
      taxes: [],
      commitments: [],
      grants: [],
      creditsUsed: [],
    };
    const told = computeAgreement(
      { account: 'acme', currency: 'usd', createdAtMs: period.endAtMs, plans, ...none },
      period,
    );
    expect([told.segments, told.state]).toEqual([[], 'none']);
    expect(computeExpectedInvoice(told, [], [])).toMatchObject({ lines: [], totalMinor: 0n });
  });
});
