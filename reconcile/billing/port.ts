// The billing port: what reconciliation needs of a biller, in our own nouns. One adapter exists (stripe.ts); nothing else
// in Trueup knows whose API it is. Every write may be repeated after any failure and takes effect once (promise I7).
// Every failed call throws one of the four error kinds; an answer of zero is a zero that was read (promise I6).

import type { Canonical } from '../../domain/canonical.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import type { Period } from '../../domain/period.ts';
import type { Price } from '../../domain/price-book.ts';

/** The absolute total of one hour: sent again it replaces what was sent before. */
export type HourValue = { readonly meter: MeterName; readonly hourAtMs: number; readonly quantity: bigint };

export type CustomerRef = { readonly account: string; readonly customer: string };

export type SubscriptionRef = CustomerRef & { readonly subscription: string };

/** The invoice a subscription's cycle made for a period. */
export type CycleInvoice = { readonly id: string; readonly draft: boolean };

/** One line as charged. `meter` is null for what is not metered usage of ours, such as the plan fee. */
export type BilledLine = {
  readonly meter: MeterName | null;
  /** Lookup key of the price; null for a one-off item. */
  readonly priceId: string | null;
  /** Half-open, as periods are. */
  readonly startAtMs: number;
  readonly endAtMs: number;
  readonly quantity: bigint;
  readonly amountMinor: bigint;
  /** Set on the item that we put on the draft ourselves. */
  readonly planFee: boolean;
};

export type BilledInvoice = {
  readonly id: string;
  readonly number: string | null;
  readonly status: string;
  readonly currency: string;
  readonly totalMinor: bigint;
  readonly lines: readonly BilledLine[];
  /** The vendor's own record, cut down to an allow-list of fields: no names, mail or addresses. */
  readonly snapshot: Canonical;
};

export type PlanFee = {
  readonly ref: CustomerRef;
  readonly invoice: string;
  readonly period: Period;
  readonly amountMinor: bigint;
  readonly currency: Currency;
};

/** What must exist before an account can be billed. All of it is idempotent. */
export type BillingSetup = {
  ensureMeters(): Promise<void>;
  ensureProducts(): Promise<void>;
  ensurePrice(price: Price, currency: Currency): Promise<void>;
  ensureCustomer(account: string, options?: { readonly testClock?: string }): Promise<string>;
  /** A subscription to `prices`, its cycle anchored at the first of the month, 00:00:00 UTC. */
  ensureSubscription(ref: CustomerRef, prices: readonly Price[], currency: Currency): Promise<string>;
};

export type BillingUsage = {
  /**
   * Sends absolute hour totals. Throws `rejected` QUANTITY_TOO_LARGE for a value of 10^15 or more, and `rejected` for an
   * hour too old by `nowMs` (business time) to be metered; in both cases nothing of the call was sent.
   */
  pushHours(ref: CustomerRef, values: readonly HourValue[], nowMs: number): Promise<void>;
  /** The biller's own total of a period. It follows pushes with a delay. */
  fetchSummary(ref: CustomerRef, meter: MeterName, period: Period): Promise<bigint>;
  /** The same by hour; hours without usage are absent. */
  fetchHourSummaries(ref: CustomerRef, meter: MeterName, period: Period): Promise<ReadonlyMap<number, bigint>>;
};

export type BillingInvoices = {
  /** The cycle invoices of the period, drafts among them taken out of automatic finalization. */
  claimCycleInvoices(ref: SubscriptionRef, period: Period): Promise<CycleInvoice[]>;
  /** Puts the plan fee on a draft once. Returns the amount that stands there, which is another one if somebody put it. */
  ensurePlanFee(fee: PlanFee): Promise<bigint>;
  /** Finalizes a draft; one that is finalized already stays as it is. */
  finalize(invoice: string): Promise<void>;
  /** With all of its lines. */
  fetchInvoice(invoice: string): Promise<BilledInvoice>;
};

export type Billing = BillingSetup & BillingUsage & BillingInvoices;
