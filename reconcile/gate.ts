// The gate before finalizing: an invoice goes out only when everything that can be known before it is known and agrees.
// Draft lines are not asked: Stripe refreshes them at finalization. What could not be read never passes (promise I6).

import { METERS, type MeterName } from '../domain/meter.ts';

export const HOLD_REASONS = [
  'SUMMARY_UNREAD',
  'USAGE_DIFFERS',
  'NOT_RATED',
  'FEE_DIFFERS',
  'SEVERAL_INVOICES',
  'ON_HOLD',
] as const;

export type HoldReason = (typeof HOLD_REASONS)[number];

export type GateInput = {
  /** Own quantities as rated; null when rating has not succeeded. */
  readonly rated: Readonly<Record<MeterName, bigint>> | null;
  /** What the biller's summaries said when they were last read; a meter that was never read is absent. */
  readonly summaries: Readonly<Partial<Record<MeterName, bigint>>>;
  readonly feeMinor: bigint | null;
  /** The fee that stands on the draft. */
  readonly feeOnDraftMinor: bigint | null;
  /** What usage and fee fall short of the commitment; zero where nothing does. */
  readonly commitmentMinor: bigint;
  readonly commitmentOnDraftMinor: bigint;
  readonly invoices: number;
  /** Somebody holds it (holds/). */
  readonly onHold: boolean;
};

export type GateDecision =
  { readonly pass: true } | { readonly pass: false; readonly reasons: readonly [HoldReason, ...HoldReason[]] };

export function computeGate({
  rated,
  summaries,
  feeMinor,
  feeOnDraftMinor,
  commitmentMinor,
  commitmentOnDraftMinor,
  invoices,
  onHold,
}: GateInput): GateDecision {
  const holds: Record<HoldReason, boolean> = {
    SUMMARY_UNREAD: METERS.some((meter) => summaries[meter] === undefined),
    USAGE_DIFFERS:
      rated !== null && METERS.some((meter) => summaries[meter] !== undefined && summaries[meter] !== rated[meter]),
    NOT_RATED: rated === null || feeMinor === null,
    FEE_DIFFERS:
      (feeMinor !== null && (feeOnDraftMinor ?? 0n) !== feeMinor) || commitmentOnDraftMinor !== commitmentMinor,
    SEVERAL_INVOICES: invoices > 1,
    ON_HOLD: onHold,
  };
  const [first, ...more] = HOLD_REASONS.filter((reason) => holds[reason]);
  return first === undefined ? { pass: true } : { pass: false, reasons: [first, ...more] };
}
