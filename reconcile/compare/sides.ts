// The two sides of one account in one period, as plain data: what we say should be, and what the biller holds. Everything
// that compares works on these alone, so that a close, a run repeated from stored evidence, an audit of somebody else's
// Stripe account and a generated month are judged by the same code.

import type { BreakCode } from '../../domain/contracts/break-codes.ts';
import type { ExpectedInvoice } from '../../domain/expected-invoice.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import type { Period } from '../../domain/period.ts';
import type { Terms } from '../../domain/price-book.ts';
import type { AccountBilling } from '../billing/port.ts';
import type { HourQuantities } from './transmit.ts';

/** A part of the period under one set of terms; half-open. Most periods have one. */
export type Segment = {
  readonly startAtMs: number;
  readonly endAtMs: number;
  readonly terms: Terms;
  readonly quantities: Readonly<Record<MeterName, bigint>>;
};

/** What the subscription should be by our own records; `none` when no invoice is due. */
export const OWN_STATES = ['active', 'trialing', 'paused', 'canceled', 'none'] as const;
export type OwnState = (typeof OWN_STATES)[number];

/** What a case of ours is about, and what it has settled where this account's invoices of the period don't show it. */
export type KnownCase = {
  readonly id: string;
  readonly code: BreakCode;
  readonly meter: MeterName | null;
  /** Minor units, signed as the break: charged in a later period, accepted or given up. */
  readonly settledMinor: bigint;
};

export type OwnSide = {
  readonly account: string;
  readonly currency: Currency;
  readonly period: Period;
  /** The biller's id of the subscription we know; null where any will do. */
  readonly subscription: string | null;
  /** In order, without gaps. */
  readonly segments: readonly Segment[];
  readonly expected: ExpectedInvoice;
  readonly state: OwnState;
  /** Percentage discount and tax in basis points, as agreed; null for none. */
  readonly discountBasisPoints: bigint | null;
  readonly taxBasisPoints: bigint | null;
  /** Prepaid credit that was there for the period's metered usage. */
  readonly creditAvailableMinor: bigint;
  /** Own closed hours; needed where summaries differ only. */
  readonly hours: Readonly<Partial<Record<MeterName, HourQuantities>>>;
  /** Cases of ours that explain items, credit notes, voids and re-issues at the biller. */
  readonly cases: readonly KnownCase[];
  /** Why the invoice is held back by us; empty when nothing holds it. */
  readonly holds: readonly string[];
};

export type MeterError = { readonly code: string; readonly meter: MeterName | null; readonly events: number };

export type BillerSide = {
  /** Summaries as last read; an absent meter was never read, which is unknown and not zero. */
  readonly summaries: Readonly<Partial<Record<MeterName, bigint>>>;
  /** By hour, where the summaries differ. */
  readonly hours: Readonly<Partial<Record<MeterName, HourQuantities>>>;
  readonly meterErrors: readonly MeterError[];
  readonly billing: AccountBilling;
};

/** Business time of the comparison: what is due later is expected, and no break. */
export type CompareAt = { readonly nowMs: number };
