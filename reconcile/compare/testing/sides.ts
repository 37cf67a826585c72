// An account whose two sides agree, for tests to put a difference into.

import { billedInvoice } from '../../testing/billed-invoice.ts';
import type { Discount } from '../../../domain/agreement.ts';
import { parsePeriod } from '../../../domain/period.ts';
import { PLANS, type PlanId, type Terms } from '../../../domain/price-book.ts';
import { METERS } from '../../../domain/meter.ts';
import { computeExpectedInvoice, type Adjustment } from '../../../domain/rating-invoice.ts';
import type { MeterQuantities } from '../../../domain/rating.ts';
import type { BilledInvoice, BilledLine, BilledSubscription } from '../../billing/port.ts';
import type { BillerSide, OwnSide } from '../sides.ts';

export const period = parsePeriod('2026-10');
export const usage: MeterQuantities = {
  actions: 140_000_000n,
  active_storage: 2_000_000n,
  retained_storage: 80_000_000n,
};

export function termsOf(planId: PlanId): Terms {
  const { prices, fee } = PLANS[planId];
  return { planId, prices, fee };
}

export type SampleOptions = {
  readonly planId?: PlanId;
  readonly terms?: readonly Terms[];
  readonly quantities?: readonly MeterQuantities[];
  readonly discount?: Discount | null;
  readonly taxBasisPoints?: bigint | null;
  readonly creditMinor?: bigint;
  readonly commitmentMinor?: bigint | null;
  readonly adjustments?: readonly Adjustment[];
};

/** One segment per set of terms, of equal length to the day. */
export function sampleOwn(options: SampleOptions = {}): OwnSide {
  const terms = options.terms ?? [termsOf(options.planId ?? 'business')];
  const quantities = options.quantities ?? terms.map(() => usage);
  const DAY_MS = 86_400_000;
  const startOf = (index: number) => period.startAtMs + Math.floor((index * 31) / terms.length) * DAY_MS;
  const segments = terms.map((one, index) => ({
    startAtMs: startOf(index),
    endAtMs: index === terms.length - 1 ? period.endAtMs : startOf(index + 1),
    terms: one,
    quantities: quantities[index] ?? usage,
  }));
  const creditMinor = options.creditMinor ?? 0n;
  const discount = options.discount ?? null;
  const taxBasisPoints = options.taxBasisPoints ?? null;
  const grant = { id: 'grant', amountMinor: creditMinor, priority: 0, effectiveAtMs: 0, expiresAtMs: null };
  const expected = computeExpectedInvoice(
    {
      account: 'acme',
      currency: 'usd',
      period,
      segments: segments.map((segment) => ({ ...segment, standing: 'active' as const })),
      discount,
      taxBasisPoints,
      commitmentMinor: options.commitmentMinor ?? null,
      grants: creditMinor === 0n ? [] : [{ ...grant, remainingMinor: creditMinor }],
      state: 'active',
    },
    quantities,
    options.adjustments ?? [],
  );
  return {
    account: 'acme',
    currency: 'usd',
    period,
    subscription: 'sub_1',
    segments,
    expected,
    state: 'active',
    discountBasisPoints: discount?.kind === 'percent' ? discount.basisPoints : null,
    taxBasisPoints,
    creditAvailableMinor: creditMinor,
    hours: {},
    cases: [],
    holds: [],
  };
}

export const subscription: BilledSubscription = {
  id: 'sub_1',
  status: 'active',
  billingMode: 'flexible',
  currency: 'usd',
  items: METERS.map((meter) => ({ id: `si_${meter}`, priceId: null })),
  collectionPaused: false,
  canceledAtMs: null,
};

const LINE_KINDS = {
  usage: 'usage',
  proration: 'proration',
  plan_fee: 'plan_fee',
  commitment: 'other',
  adjustment: 'repair',
} as const;

/** The lines that the biller should have made of the own side. */
export function agreeingLines(own: OwnSide): BilledLine[] {
  return own.expected.lines.map((line, index) => ({
    ...line,
    id: `il_${index}`,
    kind: LINE_KINDS[line.kind],
    itemId: line.kind === 'usage' ? `si_${line.meter}` : null,
  }));
}

export function invoiceOf(lines: readonly BilledLine[], fields: Partial<BilledInvoice> = {}): BilledInvoice {
  const sum = (of: (line: BilledLine) => bigint) => lines.reduce((total, line) => total + of(line), 0n);
  const [subtotalMinor, discountMinor] = [sum((line) => line.amountMinor), sum((line) => line.discountMinor)];
  const [creditMinor, taxMinor] = [sum((line) => line.creditMinor), sum((line) => line.taxMinor)];
  const totalMinor = subtotalMinor - discountMinor - creditMinor + taxMinor;
  return billedInvoice(period, {
    subtotalMinor,
    discountMinor,
    creditMinor,
    taxMinor,
    totalMinor,
    amountDueMinor: totalMinor,
    amountRemainingMinor: totalMinor,
    lines,
    ...fields,
  });
}

export function sampleBiller(own: OwnSide, invoices?: readonly BilledInvoice[]): BillerSide {
  const sent = (meter: (typeof METERS)[number]) =>
    own.segments.reduce((sum, { quantities }) => sum + quantities[meter], 0n);
  return {
    summaries: Object.fromEntries(METERS.map((meter) => [meter, sent(meter)])),
    hours: {},
    meterErrors: [],
    billing: {
      customer: 'cus_1',
      currency: 'usd',
      subscriptions: [subscription],
      invoices: invoices ?? [invoiceOf(agreeingLines(own))],
    },
  };
}
