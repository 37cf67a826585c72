// What an account agreed to for a period: terms by segment, and what holds for its invoice as a whole. Computed from
// effective-dated records alone, so the same records give the same agreement whenever it is asked for.

import { invariant } from './contracts/errors.ts';
import { isUsableFor, type CreditGrant, type OpenGrant } from './credits.ts';
import { METERS, type MeterName } from './meter.ts';
import type { Currency } from './money.ts';
import { toIso, type Period } from './period.ts';
import type { ContractPrice, PlanId, Terms } from './price-book.ts';
import { agreedTermsAt, inForceAt, type ContractFee } from './price-book-terms.ts';
import type { Span } from './proration.ts';
import type { MeterQuantities } from './rating.ts';

/** Charged is only what is active: a trial and a pause cost nothing, their usage included. */
export const STANDINGS = ['active', 'trialing', 'paused', 'canceled'] as const;
export type Standing = (typeof STANDINGS)[number];

/** A part of a period under one set of terms and in one standing. */
export type AgreementSegment = Span & { readonly terms: Terms; readonly standing: Standing };

/** A percentage of each usage and fee line, or one amount off each invoice. */
export type Discount =
  | { readonly kind: 'percent'; readonly basisPoints: bigint }
  | { readonly kind: 'amount'; readonly amountMinor: bigint };

export type Agreement = {
  readonly account: string;
  readonly currency: Currency;
  readonly period: Period;
  /** In order, without gaps, from the account's creation or the period's start to the period's end. */
  readonly segments: readonly AgreementSegment[];
  /** Discount, tax and commitment are the invoice's: those in force in the period's last instant. */
  readonly discount: Discount | null;
  /** One exclusive rate on every line. */
  readonly taxBasisPoints: bigint | null;
  /** The least that a whole month of usage and plan fee comes to, before discounts, credits and tax. */
  readonly commitmentMinor: bigint | null;
  /** Usable for this period, with what earlier periods left of them. */
  readonly grants: readonly OpenGrant[];
  /** By our records, in the period's last instant; `none` for an account that did not exist yet. */
  readonly state: Standing | 'none';
};

export type Effective<T> = { readonly effectiveFromMs: number; readonly value: T };

/** Everything an account ever agreed to, each entry from the instant on from which it holds; in any order. */
export type AgreementHistory = {
  readonly account: string;
  readonly currency: Currency;
  readonly createdAtMs: number;
  readonly plans: readonly Effective<PlanId>[];
  readonly contracts: readonly ContractPrice[];
  readonly fees: readonly ContractFee[];
  /** Active where nothing is said. */
  readonly standings: readonly Effective<Standing>[];
  readonly discounts: readonly Effective<Discount | null>[];
  readonly taxes: readonly Effective<bigint | null>[];
  readonly commitments: readonly Effective<bigint | null>[];
  readonly grants: readonly CreditGrant[];
  /** What the invoices of other periods took, by period key. */
  readonly creditsUsed: readonly { readonly grantId: string; readonly period: string; readonly amountMinor: bigint }[];
};

/** Throws `rejected` CURRENCY_UNPRICED where the plan's minimum has no amount in the account's currency. */
export function computeAgreement(history: AgreementHistory, period: Period): Agreement {
  const lastMs = period.endAtMs - 1;
  const segments = computeSegments(history, period);
  return {
    account: history.account,
    currency: history.currency,
    period,
    segments,
    discount: inForceAt(history.discounts, lastMs)?.value ?? null,
    taxBasisPoints: inForceAt(history.taxes, lastMs)?.value ?? null,
    commitmentMinor: inForceAt(history.commitments, lastMs)?.value ?? null,
    grants: history.grants.filter((grant) => isUsableFor(grant, period)).map((grant) => open(history, grant, period)),
    state: segments.at(-1)?.standing ?? 'none',
  };
}

/** The agreement as far as it has run by `atMs`, an instant of its period: what is billed of it is what was earned by then. */
export function cutAgreement(agreement: Agreement, atMs: number): Agreement {
  const begun = agreement.segments.filter(({ startAtMs }) => startAtMs < atMs);
  const segments = begun.map((segment) => ({ ...segment, endAtMs: Math.min(segment.endAtMs, atMs) }));
  return { ...agreement, segments, state: segments.at(-1)?.standing ?? 'none' };
}

/**
 * Hour totals by segment, in the order of the segments. An hour is the biller's smallest window, so it belongs as a whole to
 * the segment in which it begins; one that begins before the account belongs to the first.
 */
export function sumHoursBySegment(
  segments: readonly Span[],
  hours: readonly { readonly meter: MeterName; readonly hourAtMs: number; readonly quantity: bigint }[],
): MeterQuantities[] {
  const sums = segments.map(() => ({ actions: 0n, active_storage: 0n, retained_storage: 0n }));
  for (const { meter, hourAtMs, quantity } of hours) {
    const at = segments.findLastIndex(({ startAtMs }) => startAtMs <= hourAtMs);
    const sum = sums[Math.max(at, 0)];
    // The message is made when it is needed: a month has millions of hours.
    if (sum === undefined) invariant(false, 'I6', `usage of ${toIso(hourAtMs)} lies in no segment`);
    sum[meter] += quantity;
  }
  return sums;
}

/** Only earlier periods count, so that billing a period again finds the credit it found the first time. */
function open(history: AgreementHistory, grant: CreditGrant, period: Period): OpenGrant {
  const used = history.creditsUsed
    .filter((use) => use.grantId === grant.id && use.period < period.key)
    .reduce((sum, use) => sum + use.amountMinor, 0n);
  return { ...grant, remainingMinor: grant.amountMinor - used };
}

function computeSegments(history: AgreementHistory, period: Period): AgreementSegment[] {
  const fromMs = Math.max(period.startAtMs, history.createdAtMs);
  if (fromMs >= period.endAtMs) return [];
  const changes = [...history.plans, ...history.contracts, ...history.fees, ...history.standings]
    .map((entry) => entry.effectiveFromMs)
    .filter((atMs) => atMs > fromMs && atMs < period.endAtMs);
  const starts = [...new Set([fromMs, ...changes])].sort((a, b) => a - b);
  const segments: AgreementSegment[] = [];
  for (const [index, startAtMs] of starts.entries()) {
    const endAtMs = starts[index + 1] ?? period.endAtMs;
    const segment = { startAtMs, endAtMs, ...statusAt(history, startAtMs) };
    const before = segments.at(-1);
    if (before !== undefined && isSameStatus(before, segment)) segments[segments.length - 1] = { ...before, endAtMs };
    else segments.push(segment);
  }
  return segments;
}

function statusAt(history: AgreementHistory, atMs: number): Pick<AgreementSegment, 'terms' | 'standing'> {
  const plan = inForceAt(history.plans, atMs);
  invariant(plan !== undefined, 'I6', `account ${history.account} has no plan at ${toIso(atMs)}`);
  const standing = inForceAt(history.standings, atMs)?.value ?? 'active';
  return { terms: agreedTermsAt(history, plan.value, atMs), standing };
}

/** A price's id stands for its tiers, as it is immutable. */
function isSameStatus(a: AgreementSegment, b: AgreementSegment): boolean {
  return (
    a.standing === b.standing &&
    a.terms.planId === b.terms.planId &&
    a.terms.fee.minimumMinor === b.terms.fee.minimumMinor &&
    a.terms.fee.basisPoints === b.terms.fee.basisPoints &&
    METERS.every((meter) => a.terms.prices[meter].id === b.terms.prices[meter].id)
  );
}
