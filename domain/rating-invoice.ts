// What an invoice should say, line by line: agreement, usage and cases in, expected invoice out. Every amount is rounded once,
// half away from zero, on its own line; totals are sums of lines. The order of the arithmetic is
//   usage and plan fee → commitment → discounts → prepaid credit → tax.

import type { Agreement, Discount } from './agreement.ts';
import { computeCreditUse, type CreditUse, type OpenGrant } from './credits.ts';
import { divideHalfAway } from './decimal.ts';
import type { ExpectedInvoice, ExpectedLine } from './expected-invoice.ts';
import type { MeterName } from './meter.ts';
import { allocate } from './money.ts';
import type { Period } from './period.ts';
import type { Terms } from './price-book.ts';
import { countDaysOfPeriod } from './proration.ts';
import { sumLines, type MeterQuantities } from './rating.ts';
import { chargedSegments, rateSegments, type Charge, type UsedSegment } from './rating-segments.ts';

const BASIS = 10_000n;

/** A case of an earlier period that is settled on this invoice. Its amount was approved: no discount or credit touches it. */
export type Adjustment = {
  readonly caseId: string;
  readonly meter: MeterName | null;
  readonly startAtMs: number;
  readonly endAtMs: number;
  readonly amountMinor: bigint;
};

/**
 * The invoice an account is due for the agreement's period. `usage` holds the quantities of each segment, in order; those of a
 * trial or a pause are not charged. Nothing is due for a period without a charged segment, except adjustments.
 */
export function computeExpectedInvoice(
  agreement: Agreement,
  usage: readonly MeterQuantities[],
  adjustments: readonly Adjustment[],
): ExpectedInvoice {
  const segments = chargedSegments(agreement, usage);
  const { charges, segmentMinor } = rateSegments(segments);
  const own = [...charges, ...planFeeCharge(agreement.period, segments, segmentMinor)];
  const promised = commitmentCharge(agreement, segments, sumLines(own));
  const all = [...own, ...promised, ...adjustments.map(adjustmentCharge)];
  const discounts = computeDiscounts(all, agreement.discount);
  const credits = computeCreditUse(creditable(all, discounts), agreement.grants);
  const lines = all.map((charge, index): ExpectedLine => {
    const discountMinor = discounts[index] ?? 0n;
    const creditMinor = credits.perCharge[index] ?? 0n;
    const net = charge.amountMinor - discountMinor - creditMinor;
    const taxMinor = divideHalfAway(net * (agreement.taxBasisPoints ?? 0n), BASIS);
    return { ...charge, discountMinor, creditMinor, taxMinor };
  });
  return toInvoice(agreement, lines);
}

/** What each grant paid of an invoice, in the order of use: the same arithmetic that put the credit on its lines. */
export function computeGrantUse(invoice: ExpectedInvoice, grants: readonly OpenGrant[]): CreditUse['perGrant'] {
  const discounts = invoice.lines.map((line) => line.discountMinor);
  return computeCreditUse(creditable(invoice.lines, discounts), grants).perGrant;
}

/**
 * One line for the whole period: per run of segments with the same plan and fee the greater of the minimum, by its days, and
 * the share of its usage; summed exactly, rounded once.
 */
function planFeeCharge(
  period: Period,
  segments: readonly UsedSegment[],
  segmentMinor: ReadonlyMap<UsedSegment, bigint>,
): Charge[] {
  const daysOfPeriod = countDaysOfPeriod(period);
  let numerator = 0n;
  for (const run of runsOfOneFee(segments)) {
    const { minimumMinor, basisPoints } = run.fee;
    const usageMinor = run.members.reduce((sum, member) => sum + (segmentMinor.get(member) ?? 0n), 0n);
    const runDays = run.members.reduce((sum, member) => sum + member.days, 0n);
    const least = minimumMinor * runDays * BASIS;
    const share = usageMinor * basisPoints * daysOfPeriod;
    numerator += share > least ? share : least;
  }
  const amountMinor = divideHalfAway(numerator, daysOfPeriod * BASIS);
  return amountMinor === 0n ? [] : [wholePeriodCharge('plan_fee', period, amountMinor)];
}

/** A plan is one agreement for the month however often it is interrupted, so its minimum is compared once. */
function runsOfOneFee(segments: readonly UsedSegment[]): { fee: Terms['fee']; members: UsedSegment[] }[] {
  const key = ({ terms: { planId, fee } }: UsedSegment) => `${planId} ${fee.minimumMinor} ${fee.basisPoints}`;
  return [...Map.groupBy(segments, key).values()].flatMap((members) => {
    const fee = members[0]?.terms.fee;
    return fee === undefined ? [] : [{ fee, members }];
  });
}

/** What usage and plan fee fall short of the promised spend, which is prorated by the charged days. */
function commitmentCharge(agreement: Agreement, segments: readonly UsedSegment[], ownMinor: bigint): Charge[] {
  const { period, commitmentMinor } = agreement;
  if (commitmentMinor === null) return [];
  const days = segments.reduce((sum, segment) => sum + segment.days, 0n);
  const shortMinor = divideHalfAway(commitmentMinor * days, countDaysOfPeriod(period)) - ownMinor;
  return shortMinor > 0n ? [wholePeriodCharge('commitment', period, shortMinor)] : [];
}

function wholePeriodCharge(kind: 'plan_fee' | 'commitment', period: Period, amountMinor: bigint): Charge {
  const { startAtMs, endAtMs } = period;
  return { kind, meter: null, priceId: null, startAtMs, endAtMs, quantity: 1n, amountMinor, caseId: null };
}

function adjustmentCharge({ caseId, meter, startAtMs, endAtMs, amountMinor }: Adjustment): Charge {
  return { kind: 'adjustment', meter, priceId: null, startAtMs, endAtMs, quantity: 1n, amountMinor, caseId };
}

/** A commitment is what was promised and an adjustment what was approved: neither is discounted. */
const isDiscountable = ({ kind }: Charge) => kind === 'usage' || kind === 'proration' || kind === 'plan_fee';

/** A percentage is taken off each line; a fixed amount is spread over the lines by largest remainder, never beyond them. */
function computeDiscounts(charges: readonly Charge[], discount: Discount | null): bigint[] {
  const bases = charges.map((charge) => (isDiscountable(charge) ? charge.amountMinor : 0n));
  if (discount === null) return bases.map(() => 0n);
  if (discount.kind === 'percent') return bases.map((base) => divideHalfAway(base * discount.basisPoints, BASIS));
  const sum = bases.reduce((total, base) => total + base, 0n);
  return sum === 0n ? bases : allocate(discount.amountMinor < sum ? discount.amountMinor : sum, bases);
}

/**
 * What prepaid credit may pay of each line, after its discount: usage on the subscription. Usage of before a change of price is
 * an invoice item at the biller, which credit does not reach (Stripe's documented scope of grants).
 */
function creditable(charges: readonly Charge[], discounts: readonly bigint[]): bigint[] {
  return charges.map((charge, index) => (charge.kind === 'usage' ? charge.amountMinor - (discounts[index] ?? 0n) : 0n));
}

function toInvoice({ currency }: Agreement, lines: readonly ExpectedLine[]): ExpectedInvoice {
  const total = (of: (line: ExpectedLine) => bigint) => lines.reduce((sum, line) => sum + of(line), 0n);
  const subtotalMinor = total((line) => line.amountMinor);
  const discountMinor = total((line) => line.discountMinor);
  const creditMinor = total((line) => line.creditMinor);
  const taxMinor = total((line) => line.taxMinor);
  const totalMinor = subtotalMinor - discountMinor - creditMinor + taxMinor;
  return { currency, lines, subtotalMinor, discountMinor, creditMinor, taxMinor, totalMinor };
}
