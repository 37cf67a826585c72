// Unbilled accrual: what accounts have used and not been invoiced for, at any instant. An open period is rated as if it ended
// then, minimums by the day; what prepaid credit covers is no receivable, and tax arises with the invoice. Pure.

import { cutAgreement, sumHoursBySegment, type Agreement } from '../../domain/agreement.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import { computeExpectedInvoice, type Adjustment } from '../../domain/rating-invoice.ts';

export type InvoicedAmount = {
  /** Null for a draft, which is not invoiced yet. */
  readonly finalizedAtMs: number | null;
  /** After discounts and credit, before tax; a voided invoice is left out. */
  readonly netMinor: bigint;
};

/** What is known of an account in a period. Hours at or after the instant of the accrual don't count. */
export type AccrualPosition = {
  readonly agreement: Agreement;
  readonly hours: readonly { readonly meter: MeterName; readonly hourAtMs: number; readonly quantity: bigint }[];
  /** Approved by then, to be settled on this period's invoice. */
  readonly adjustments: readonly Adjustment[];
  readonly invoiced: readonly InvoicedAmount[];
};

/** Minor units; earned − covered by credit − invoiced = unbilled, which is negative where too much was invoiced. */
export type AccrualRow = {
  readonly account: string;
  readonly currency: Currency;
  readonly period: string;
  readonly earnedMinor: bigint;
  readonly creditMinor: bigint;
  readonly invoicedMinor: bigint;
  readonly unbilledMinor: bigint;
};

export function computeAccrual(position: AccrualPosition, atMs: number): AccrualRow {
  const agreement = cutAgreement(position.agreement, atMs);
  // Usage from before the account is nobody's here; it shows as USAGE_UNATTRIBUTED.
  const hours = agreement.segments.length === 0 ? [] : position.hours.filter(({ hourAtMs }) => hourAtMs < atMs);
  const usage = sumHoursBySegment(agreement.segments, hours);
  const earned = computeExpectedInvoice(agreement, usage, position.adjustments);
  const earnedMinor = earned.subtotalMinor - earned.discountMinor;
  const invoicedMinor = position.invoiced
    .filter(({ finalizedAtMs }) => finalizedAtMs !== null && finalizedAtMs <= atMs)
    .reduce((sum, { netMinor }) => sum + netMinor, 0n);
  return {
    account: agreement.account,
    currency: agreement.currency,
    period: agreement.period.key,
    earnedMinor,
    creditMinor: earned.creditMinor,
    invoicedMinor,
    unbilledMinor: earnedMinor - earned.creditMinor - invoicedMinor,
  };
}

/** Unbilled per currency: amounts of different currencies are never added. */
export function sumUnbilled(rows: readonly AccrualRow[]): Map<Currency, bigint> {
  const sums = new Map<Currency, bigint>();
  for (const { currency, unbilledMinor } of rows) sums.set(currency, (sums.get(currency) ?? 0n) + unbilledMinor);
  return sums;
}
