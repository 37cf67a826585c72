// Rates the segments of a period as the biller's flexible mode does: usage before a change of price is charged by itself,
// at the old price. The biller rates each price alone, so the tiers (allowance included) begin anew with every price; a meter
// whose price stays the same is not split, whatever else changes. A trial or a pause also ends a price's span.

import type { Agreement, AgreementSegment } from './agreement.ts';
import { invariant } from './contracts/errors.ts';
import type { ExpectedLine } from './expected-invoice.ts';
import { METERS, type MeterName } from './meter.ts';
import { allocate } from './money.ts';
import type { Price } from './price-book.ts';
import { countDays } from './proration.ts';
import { rateMeter, sumLines, type MeterQuantities } from './rating.ts';

/** A segment that is charged, with what was used in it and the days of the period that are its own. */
export type UsedSegment = AgreementSegment & { readonly quantities: MeterQuantities; readonly days: bigint };

/** Neighbouring segments under one price of a meter: what the biller knows as one subscription item. */
type PriceSpan = {
  readonly meter: MeterName;
  readonly price: Price;
  readonly startAtMs: number;
  readonly endAtMs: number;
  readonly segments: readonly UsedSegment[];
};

/** Joins each charged segment with its usage; `usage` stands in the order of the segments. */
export function chargedSegments(
  { period, segments }: Pick<Agreement, 'period' | 'segments'>,
  usage: readonly MeterQuantities[],
): UsedSegment[] {
  invariant(segments.length === usage.length, 'I6', `usage of ${usage.length} of ${segments.length} segments is known`);
  const days = countDays(period, segments);
  return segments.flatMap((segment, index) => {
    const quantities = usage[index];
    if (segment.standing !== 'active' || quantities === undefined) return [];
    return [{ ...segment, quantities, days: days[index] ?? 0n }];
  });
}

function computePriceSpans(segments: readonly UsedSegment[], meter: MeterName): PriceSpan[] {
  const spans: PriceSpan[] = [];
  for (const segment of segments) {
    const price = segment.terms.prices[meter];
    const before = spans.at(-1);
    if (before !== undefined && before.price.id === price.id && before.endAtMs === segment.startAtMs) {
      spans[spans.length - 1] = { ...before, endAtMs: segment.endAtMs, segments: [...before.segments, segment] };
    } else {
      const { startAtMs, endAtMs } = segment;
      spans.push({ meter, price, startAtMs, endAtMs, segments: [segment] });
    }
  }
  return spans;
}

/** A line as rated, before anything is taken off or put on. */
export type Charge = Omit<ExpectedLine, 'discountMinor' | 'creditMinor' | 'taxMinor'>;

export type RatedUsage = {
  readonly charges: readonly Charge[];
  /** Rounded usage per segment, minor units; adds up to the charges. */
  readonly segmentMinor: ReadonlyMap<UsedSegment, bigint>;
};

/** Lines by meter, then by time, then by tier. Only a meter's last span shows a line of nothing when nothing was used. */
export function rateSegments(segments: readonly UsedSegment[]): RatedUsage {
  const charges: Charge[] = [];
  const segmentMinor = new Map(segments.map((segment) => [segment, 0n]));
  for (const meter of METERS) {
    const spans = computePriceSpans(segments, meter);
    for (const [index, span] of spans.entries()) {
      const quantities = span.segments.map((segment) => segment.quantities[meter]);
      const quantity = quantities.reduce((sum, part) => sum + part, 0n);
      const last = index === spans.length - 1;
      if (quantity === 0n && !last) continue;
      const lines = rateMeter(span.price, quantity);
      charges.push(
        ...lines.map((line) => ({
          kind: last ? ('usage' as const) : ('proration' as const),
          meter,
          priceId: span.price.id,
          startAtMs: span.startAtMs,
          endAtMs: span.endAtMs,
          quantity: line.quantity,
          amountMinor: line.amountMinor,
          caseId: null,
        })),
      );
      if (quantity === 0n) continue;
      // The segments of one span may lie in different plans, whose fees are shares of their own usage.
      const parts = allocate(sumLines(lines), quantities);
      for (const [at, segment] of span.segments.entries()) {
        segmentMinor.set(segment, (segmentMinor.get(segment) ?? 0n) + (parts[at] ?? 0n));
      }
    }
  }
  return { charges, segmentMinor };
}
