// Both sides of an audited customer, made comparable. What an audit can judge is metered usage: quantities against own usage,
// amounts against Stripe's own prices, invoices against subscriptions, payments against invoices. Other lines, discounts,
// credits and taxes were agreed in places it can't see, so they are left out on both sides. Pure.

import type { ExpectedLine } from '../../domain/expected-invoice.ts';
import type { MeterName } from '../../domain/meter.ts';
import { parseCurrency } from '../../domain/money.ts';
import type { Period } from '../../domain/period.ts';
import type { Price, Terms } from '../../domain/price-book.ts';
import { rateMeter, sumLines, type RatedLine } from '../../domain/rating.ts';
import type { BilledInvoice } from '../billing/port.ts';
import type { AuditedCustomer, AuditedPrice } from '../billing/stripe-audit.ts';
import type { BillerSide, OwnSide } from '../compare/sides.ts';
import { sumHours, type HourQuantities } from '../compare/transmit.ts';

export type AuditSides = { readonly own: OwnSide; readonly biller: BillerSide; readonly lines: readonly RatedLine[] };

export type AuditInput = {
  readonly found: AuditedCustomer;
  readonly period: Period;
  /** Own usage by meter and hour. */
  readonly usage: ReadonlyMap<string, HourQuantities>;
  /** Stripe's hours of the meters whose totals differ. */
  readonly hours: ReadonlyMap<string, HourQuantities>;
};

export function toAuditSides({ found, period, usage, hours }: AuditInput): AuditSides {
  const quantities = new Map(
    [...found.prices.keys()].map((meter) => [meter, sumHours(usage.get(meter) ?? new Map<number, bigint>())]),
  );
  const invoices = found.billing.invoices.filter(billsUsage).map(onlyUsage);
  const lines = [...found.prices.values()].flatMap((audited) =>
    rate(audited, quantities.get(audited.price.meter) ?? 0n, invoices),
  );
  const span = { startAtMs: period.startAtMs, endAtMs: period.endAtMs };
  const expected = lines.map((line): ExpectedLine => ({
    ...span,
    kind: 'usage',
    meter: line.meter,
    priceId: line.priceId,
    quantity: line.quantity,
    amountMinor: line.amountMinor,
    discountMinor: 0n,
    creditMinor: 0n,
    taxMinor: 0n,
    caseId: null,
  }));
  const totalMinor = sumLines(lines);
  const currency = parseCurrency(found.currency);
  const nothing = { discountMinor: 0n, creditMinor: 0n, taxMinor: 0n };
  const live = found.billing.subscriptions.some(
    ({ canceledAtMs }) => canceledAtMs === null || canceledAtMs >= period.endAtMs,
  );
  const own: OwnSide = {
    account: found.customer,
    currency,
    period,
    subscription: null,
    segments: [{ ...span, terms: toTerms(found.prices), quantities: byMeter(quantities) }],
    expected: { currency, lines: expected, subtotalMinor: totalMinor, ...nothing, totalMinor },
    state: live ? 'active' : 'canceled',
    discountBasisPoints: null,
    taxBasisPoints: null,
    creditAvailableMinor: 0n,
    hours: byMeter(new Map([...usage].filter(([meter]) => hours.has(meter)))),
    cases: [],
    holds: [],
  };
  const subscriptions = found.billing.subscriptions
    // Its mode and state are Stripe's to say: an audit knows of no other.
    .map((one) => ({ ...one, billingMode: 'flexible' as const, status: own.state, collectionPaused: false }));
  const biller: BillerSide = {
    summaries: byMeter(found.summaries),
    hours: byMeter(hours),
    meterErrors: [],
    billing: { ...found.billing, subscriptions, invoices },
  };
  return { own, biller, lines };
}

/** Where Stripe's price is of a kind that we don't rate, the amounts stand as charged and only quantities are judged. */
function rate({ price, rated }: AuditedPrice, quantity: bigint, invoices: readonly BilledInvoice[]): RatedLine[] {
  const lines = rateMeter(price, quantity);
  if (rated) return lines;
  const charged = invoices.flatMap((invoice) => invoice.lines).filter(({ meter }) => meter === price.meter);
  const amountMinor = sumLines(charged);
  return lines.map((line, index) => (index === 0 ? { ...line, amountMinor } : line));
}

function billsUsage({ lines, billingReason }: BilledInvoice): boolean {
  return billingReason === 'subscription_cycle' || lines.some(({ kind, meter }) => kind === 'usage' && meter !== null);
}

/** The invoice as far as it charges metered usage. */
function onlyUsage(invoice: BilledInvoice): BilledInvoice {
  const lines = invoice.lines
    .filter(({ kind, meter }) => kind === 'usage' && meter !== null)
    .map((line) => ({ ...line, discountMinor: 0n, creditMinor: 0n, taxMinor: 0n }));
  return { ...invoice, lines, totalMinor: sumLines(lines), creditNotes: [] };
}

function toTerms(prices: ReadonlyMap<string, AuditedPrice>): Terms {
  const own = Object.fromEntries([...prices].map(([meter, { price }]) => [meter, price])) as Record<MeterName, Price>;
  return { planId: 'developer', prices: own, fee: { minimumMinor: 0n, basisPoints: 0n } };
}

/** An audited account's meters have names of their own; the comparison treats a meter's name as opaque. */
function byMeter<Value>(values: ReadonlyMap<string, Value>): Record<MeterName, Value> {
  return Object.fromEntries(values) as Record<MeterName, Value>;
}
