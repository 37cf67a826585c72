// Own rating of an account as a run stores it: the lines of the expected invoice that are metered, tier by tier and part by
// part, and beside them what was used without being charged, so that every unit of the period stands in exactly one line.
// Pure: the close and an offline re-run take it from here.

import { METERS } from '../../domain/meter.ts';
import { rateMeter, sumLines, type RatedLine } from '../../domain/rating.ts';
import { computeCharges, type Charge } from '../compare/charges.ts';
import type { OwnSide, Segment } from '../compare/sides.ts';

/** A line of one part of the period: tiers begin anew with every part. */
export type PartLine = RatedLine & { readonly partStartAtMs: number };

export type RatedAccount = {
  /** By meter, then part, then tier; at least one per meter. */
  readonly lines: readonly PartLine[];
  readonly usageMinor: bigint;
  readonly feeMinor: bigint;
};

export function computeRated({ expected, segments }: Pick<OwnSide, 'expected' | 'segments'>): RatedAccount {
  const charges = computeCharges({ expected, segments });
  const lines = [...charges.flatMap(rateCharge), ...segments.flatMap((segment) => rateUncharged(segment, charges))];
  const fees = expected.lines.filter(({ kind }) => kind === 'plan_fee');
  return { lines: withEveryMeter(lines, segments).sort(byPart), usageMinor: sumLines(lines), feeMinor: sumLines(fees) };
}

function rateCharge({ price, quantity, startAtMs }: Charge): PartLine[] {
  return rateMeter(price, quantity).map((line) => ({ ...line, partStartAtMs: startAtMs }));
}

/** Usage of a trial or a pause, and of a price of nothing: used, and worth nothing. */
function rateUncharged(segment: Segment, charges: readonly Charge[]): PartLine[] {
  return METERS.flatMap((meter) => {
    const isCharged = charges.some(
      (charge) => charge.meter === meter && charge.startAtMs <= segment.startAtMs && segment.startAtMs < charge.endAtMs,
    );
    return isCharged || segment.quantities[meter] === 0n ? [] : [freeLine(segment, meter)];
  });
}

/** A meter without a line would be an error to everyone who reads it, and is a zero here. */
function withEveryMeter(lines: readonly PartLine[], segments: readonly Segment[]): PartLine[] {
  const last = segments.at(-1);
  const missing = METERS.filter((meter) => last !== undefined && !lines.some((line) => line.meter === meter));
  return [...lines, ...missing.flatMap((meter) => (last === undefined ? [] : [freeLine(last, meter)]))];
}

function freeLine({ startAtMs, terms, quantities }: Segment, meter: RatedLine['meter']): PartLine {
  return {
    meter,
    priceId: terms.prices[meter].id,
    tier: 0,
    quantity: quantities[meter],
    unitAmount: { units: 0n, scale: 0 },
    amountMinor: 0n,
    partStartAtMs: startAtMs,
  };
}

function byPart(a: PartLine, b: PartLine): number {
  return METERS.indexOf(a.meter) - METERS.indexOf(b.meter) || a.partStartAtMs - b.partStartAtMs || a.tier - b.tier;
}
