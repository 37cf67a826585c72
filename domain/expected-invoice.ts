// What an invoice should say, line by line, by our own rating: the left side of legs L3 to L5. Shapes only;
// rating-invoice.ts computes it.

import type { MeterName } from './meter.ts';
import type { Currency } from './money.ts';

/** `proration` is a price of before a change inside the period; `adjustment` a case of an earlier period put on this one. */
export type ExpectedLineKind = 'usage' | 'plan_fee' | 'proration' | 'adjustment' | 'commitment';

export type ExpectedLine = {
  readonly kind: ExpectedLineKind;
  readonly meter: MeterName | null;
  readonly priceId: string | null;
  /** Half-open. */
  readonly startAtMs: number;
  readonly endAtMs: number;
  readonly quantity: bigint;
  /** Minor units before discounts, credits and tax; rounded once. */
  readonly amountMinor: bigint;
  readonly discountMinor: bigint;
  /** Prepaid credit, which only lines of kind `usage` can use. */
  readonly creditMinor: bigint;
  readonly taxMinor: bigint;
  /** The case an adjustment belongs to. */
  readonly caseId: string | null;
};

export type ExpectedInvoice = {
  readonly currency: Currency;
  readonly lines: readonly ExpectedLine[];
  readonly subtotalMinor: bigint;
  readonly discountMinor: bigint;
  readonly creditMinor: bigint;
  readonly taxMinor: bigint;
  /** subtotal − discounts − credits + tax. */
  readonly totalMinor: bigint;
};
