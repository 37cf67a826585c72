// The billing port: what reconciliation needs of a biller, in our own nouns. One adapter exists (stripe.ts); nothing else
// in Trueup knows whose API it is. Every write may be repeated after any failure and takes effect once (promise I7).
// Every failed call throws one of the four error kinds; an answer of zero is a zero that was read (promise I6).

import type { Canonical } from '../../domain/canonical.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import type { Discount } from '../../domain/agreement.ts';
import type { OpenGrant } from '../../domain/credits.ts';
import type { Period } from '../../domain/period.ts';
import type { Price } from '../../domain/price-book.ts';

/** The absolute total of one hour: sent again it replaces what was sent before. */
export type HourValue = { readonly meter: MeterName; readonly hourAtMs: number; readonly quantity: bigint };

export type CustomerRef = { readonly account: string; readonly customer: string };

export type SubscriptionRef = CustomerRef & { readonly subscription: string };

/** The invoice a subscription's cycle made for a period. */
export type CycleInvoice = { readonly id: string; readonly draft: boolean };

/** What a line is by its origin: metered usage of a subscription item, our plan fee, a change inside a period, or else. */
export type LineKind = 'usage' | 'plan_fee' | 'proration' | 'repair' | 'other';

/** One line as charged. Amounts are minor units; `amountMinor` is before discounts, credits and tax. */
export type BilledLine = {
  readonly id: string;
  readonly kind: LineKind;
  /** Null for what is not metered usage of ours, such as the plan fee. */
  readonly meter: MeterName | null;
  /** Lookup key of the price; null for a one-off item. */
  readonly priceId: string | null;
  /** The subscription item it came from. */
  readonly itemId: string | null;
  /** The case we put it there for, by its metadata. */
  readonly caseId: string | null;
  /** Half-open, as periods are. */
  readonly startAtMs: number;
  readonly endAtMs: number;
  readonly quantity: bigint;
  readonly amountMinor: bigint;
  readonly discountMinor: bigint;
  /** Prepaid credit grants. */
  readonly creditMinor: bigint;
  /** What comes on top; tax that is included in the amount is part of it. */
  readonly taxMinor: bigint;
};

export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'void' | 'uncollectible' | 'unknown';

export type BilledPayment = {
  readonly id: string;
  readonly status: 'paid' | 'open' | 'canceled';
  readonly amountMinor: bigint;
  readonly outOfBand: boolean;
  readonly paidAtMs: number | null;
};

export type BilledCreditNote = {
  readonly id: string;
  readonly number: string | null;
  readonly status: 'issued' | 'void';
  readonly kind: 'pre_payment' | 'post_payment' | 'mixed';
  readonly amountMinor: bigint;
  readonly caseId: string | null;
  readonly createdAtMs: number;
};

export type BilledInvoice = {
  readonly id: string;
  readonly number: string | null;
  readonly status: InvoiceStatus;
  /** Why it exists, in the vendor's words: subscription_cycle, manual, … */
  readonly billingReason: string;
  readonly subscription: string | null;
  readonly currency: string;
  readonly createdAtMs: number;
  readonly finalizedAtMs: number | null;
  readonly dueAtMs: number | null;
  /** Set by us when an invoice was issued, or taken back, for a case. */
  readonly caseId: string | null;
  /** Code of the vendor's last refusal to finalize. */
  readonly finalizationError: string | null;
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly creditMinor: bigint;
  readonly taxMinor: bigint;
  readonly totalMinor: bigint;
  readonly amountDueMinor: bigint;
  readonly amountPaidMinor: bigint;
  readonly amountRemainingMinor: bigint;
  readonly amountOverpaidMinor: bigint;
  readonly lines: readonly BilledLine[];
  readonly payments: readonly BilledPayment[];
  readonly creditNotes: readonly BilledCreditNote[];
  /** The vendor's own record, cut down to an allow-list of fields: no names, mail or addresses. */
  readonly snapshot: Canonical;
};

export type BilledSubscription = {
  readonly id: string;
  /** In the vendor's words: active, trialing, past_due, paused, canceled, unpaid, … */
  readonly status: string;
  readonly billingMode: 'flexible' | 'classic';
  readonly currency: string;
  readonly items: readonly { readonly id: string; readonly priceId: string | null }[];
  readonly collectionPaused: boolean;
  readonly canceledAtMs: number | null;
};

/** Everything the biller holds about one customer that bears on one period: its cycle invoices, and whatever else was invoiced since its start. */
export type AccountBilling = {
  readonly customer: string;
  readonly currency: string | null;
  readonly subscriptions: readonly BilledSubscription[];
  readonly invoices: readonly BilledInvoice[];
};

/**
 * Corrections. Each carries the case it is for, which explains it, and the repair it is part of, by which it is found again:
 * applied once however often it is sent.
 */
export type BillingRepairs = {
  /** Adds an item to a draft, or to the customer's next invoice when `invoice` is null. Negative amounts are credits. Returns its id. */
  addItem(item: RepairItem): Promise<string>;
  /** Credits a finalized invoice; returns the credit note's id. */
  creditInvoice(credit: RepairCredit): Promise<string>;
  /** Voids a finalized, unpaid invoice. */
  voidInvoice(invoice: string, caseId: string): Promise<void>;
  /** Issues one finalized invoice that replaces a voided one; returns its id. */
  issueInvoice(issue: RepairInvoice): Promise<string>;
  markUncollectible(invoice: string, caseId: string): Promise<void>;
  /** What stands at the biller of an item that was added. */
  fetchItem(id: string): Promise<AddedItem>;
};

export type AddedItem = {
  readonly amountMinor: bigint;
  readonly caseId: string | null;
  /** Null while it waits for the customer's next invoice. */
  readonly invoice: string | null;
};

type Corrects = { readonly caseId: string; readonly repair: string };

export type RepairItem = Corrects & {
  readonly ref: CustomerRef;
  readonly invoice: string | null;
  readonly period: Period;
  readonly meter: MeterName | null;
  readonly amountMinor: bigint;
  readonly currency: Currency;
  readonly description: string;
};

export type RepairCredit = Corrects & {
  readonly invoice: string;
  /** Positive. */
  readonly amountMinor: bigint;
  /** What was paid already goes back to the customer's balance; `refund` sends it back to the card. */
  readonly settle: 'balance' | 'refund' | 'out_of_band';
};

export type RepairInvoice = Corrects & {
  readonly ref: CustomerRef;
  readonly period: Period;
  readonly currency: Currency;
  readonly items: readonly {
    readonly meter: MeterName | null;
    readonly amountMinor: bigint;
    readonly description: string;
  }[];
  readonly replaces: string | null;
};

/** What the agreement charges besides usage, as one item on a draft. */
export type AgreedItem = {
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
  /**
   * A subscription to `prices`, its cycle anchored at the first of the month, 00:00:00 UTC. A trial costs nothing and should
   * end with a month: the vendor counts periods from its end.
   */
  ensureSubscription(
    ref: CustomerRef,
    prices: readonly Price[],
    currency: Currency,
    options?: { readonly trialEndAtMs?: number },
  ): Promise<string>;
  /** Discount and tax of the invoices from now on, in place of what held before; null takes it away. */
  ensureReductions(ref: SubscriptionRef, agreed: AgreedReductions): Promise<void>;
  /** Prepaid credit for metered usage, used for exactly the periods that may use it; with what earlier ones left of it. */
  ensureGrant(ref: CustomerRef, grant: OpenGrant, currency: Currency): Promise<void>;
  /**
   * Swaps the prices of a subscription, meter by meter, for the change agreed for `atMs`; a price that stays is not touched.
   * The biller charges usage so far at the old price, now and for ever: send and compare it first (change-prices.ts).
   */
  changePrices(ref: SubscriptionRef, prices: readonly Price[], atMs: number): Promise<void>;
};

export type AgreedReductions = {
  readonly discount: Discount | null;
  readonly taxBasisPoints: bigint | null;
  readonly currency: Currency;
};

export type BillingUsage = {
  /**
   * Sends absolute hour totals. Throws `rejected` QUANTITY_TOO_LARGE for a value of 10^15 or more, and METER_HOUR_TOO_OLD for an
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
  ensurePlanFee(fee: AgreedItem): Promise<bigint>;
  /** The same for what falls short of a commitment. No discount touches it. */
  ensureCommitment(commitment: AgreedItem): Promise<bigint>;
  /** Finalizes a draft; one that is finalized already stays as it is. */
  finalize(invoice: string): Promise<void>;
  /** With all of its lines, payments and credit notes. */
  fetchInvoice(invoice: string): Promise<BilledInvoice>;
  /** What exists at the biller for this customer and period, cycle invoice or not. */
  fetchAccountBilling(ref: CustomerRef, period: Period): Promise<AccountBilling>;
};

export type Billing = BillingSetup & BillingUsage & BillingInvoices & BillingRepairs;
