// Own rating: usage and terms in, invoice lines out. The layout is the one Stripe is expected to produce (one line per
// tier that holds quantity, each rounded once), so that a difference is a finding and not a matter of layout.

import { divideHalfAway, multiplyToMinor, type Decimal } from './decimal.ts';
import { invariant } from './contracts/errors.ts';
import { METERS, type MeterName } from './meter.ts';
import type { Price, Terms } from './price-book.ts';

export type RatedLine = {
  readonly meter: MeterName;
  readonly priceId: string;
  /** 0-based position of the tier in its price. */
  readonly tier: number;
  readonly quantity: bigint;
  readonly unitAmount: Decimal;
  readonly amountMinor: bigint;
};

export type MeterQuantities = Readonly<Record<MeterName, bigint>>;

export type Rated = {
  readonly lines: readonly RatedLine[];
  readonly usageMinor: bigint;
  readonly feeMinor: bigint;
  readonly totalMinor: bigint;
};

/** Graduated rating of one meter. A quantity of zero gives one line of zero in the first tier. */
export function rateMeter(price: Price, quantity: bigint): RatedLine[] {
  invariant(quantity >= 0n, 'I5', `negative quantity ${quantity} for price ${price.id}`);
  const lines: RatedLine[] = [];
  let below = 0n;
  for (const [tier, { upTo, unitAmount }] of price.tiers.entries()) {
    const top = upTo === null || quantity < upTo ? quantity : upTo;
    const inTier = top - below;
    if (inTier > 0n || (quantity === 0n && tier === 0)) {
      const amountMinor = multiplyToMinor(inTier, unitAmount);
      lines.push({ meter: price.meter, priceId: price.id, tier, quantity: inTier, unitAmount, amountMinor });
    }
    below = top;
  }
  return lines;
}

/** Sum of rounded lines, minor units. */
export function sumLines(lines: readonly { readonly amountMinor: bigint }[]): bigint {
  return lines.reduce((sum, line) => sum + line.amountMinor, 0n);
}

/** The plan fee: the greater of its minimum and its share of the rounded usage. */
export function planFee(fee: Terms['fee'], usageMinor: bigint): bigint {
  const share = divideHalfAway(usageMinor * fee.basisPoints, 10_000n);
  return share > fee.minimumMinor ? share : fee.minimumMinor;
}

/** All that an account owes for a period under `terms`. */
export function ratePeriod(terms: Terms, quantities: MeterQuantities): Rated {
  const lines = METERS.flatMap((meter) => rateMeter(terms.prices[meter], quantities[meter]));
  const usageMinor = sumLines(lines);
  const feeMinor = planFee(terms.fee, usageMinor);
  return { lines, usageMinor, feeMinor, totalMinor: usageMinor + feeMinor };
}

/** What a line group's total may differ by without anyone being wrong: half a minor unit per rounded line, rounded down
 * to whole minor units but at least one. */
export function roundingBoundMinor(lineCount: number): bigint {
  const bound = BigInt(lineCount) / 2n;
  return bound > 1n ? bound : 1n;
}
