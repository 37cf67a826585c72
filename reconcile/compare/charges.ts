// What is to be charged per meter, part by part, and the invoice lines that charge it. Graduated prices make several lines
// of one price, and a change inside the period makes several prices of one meter: so lines are grouped by subscription
// item, price and period first, and the groups are matched with what was agreed. Pure.

import type { ExpectedLine } from '../../domain/expected-invoice.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Price } from '../../domain/price-book.ts';
import { rateMeter, sumLines } from '../../domain/rating.ts';
import type { BilledLine } from '../billing/port.ts';
import type { OwnSide } from './sides.ts';

/** One meter's usage of one part of the period under one price, as agreed. */
export type Charge = {
  readonly meter: MeterName;
  readonly kind: 'usage' | 'proration';
  readonly price: Price;
  readonly startAtMs: number;
  readonly endAtMs: number;
  readonly quantity: bigint;
  readonly amountMinor: bigint;
};

/** Lines of one subscription item, price and period. */
export type LineGroup = Pick<BilledLine, 'meter' | 'priceId' | 'itemId' | 'startAtMs' | 'endAtMs'> & {
  readonly kind: 'usage' | 'proration';
  readonly quantity: bigint;
  readonly amountMinor: bigint;
  /** Lines that were rounded: those that hold something. */
  readonly rounded: number;
};

export type MatchedCharge = {
  readonly charge: Charge;
  readonly groups: readonly LineGroup[];
  /** False when the groups are of another period than agreed. */
  readonly onTime: boolean;
};

export type Matched = { readonly charges: readonly MatchedCharge[]; readonly stray: readonly LineGroup[] };

export function computeCharges({ expected, segments }: Pick<OwnSide, 'expected' | 'segments'>): Charge[] {
  const metered = expected.lines.filter(isMetered);
  const parts = Map.groupBy(metered, (line) => `${line.meter} ${line.startAtMs} ${line.endAtMs} ${line.kind}`);
  const charges = [...parts.values()].flatMap((lines): Charge[] => {
    const [first] = lines;
    if (first === undefined) return [];
    const { meter, kind, startAtMs, endAtMs } = first;
    const terms = segments.find((segment) => startAtMs >= segment.startAtMs && startAtMs < segment.endAtMs)?.terms;
    if (terms === undefined) return [];
    const quantity = lines.reduce((sum, line) => sum + line.quantity, 0n);
    return [{ meter, kind, price: terms.prices[meter], startAtMs, endAtMs, quantity, amountMinor: sumLines(lines) }];
  });
  return charges.sort((a, b) => METERS.indexOf(a.meter) - METERS.indexOf(b.meter) || a.startAtMs - b.startAtMs);
}

type MeteredLine = ExpectedLine & { readonly meter: MeterName; readonly kind: 'usage' | 'proration' };

function isMetered(line: ExpectedLine): line is MeteredLine {
  return line.meter !== null && (line.kind === 'usage' || line.kind === 'proration');
}

/** What a charge would come to at another quantity: the agreed amount plus what the agreed price makes of the difference. */
export function worthAt(charge: Charge, quantity: bigint): bigint {
  if (quantity === charge.quantity) return charge.amountMinor;
  const rated = (of: bigint) => sumLines(rateMeter(charge.price, of));
  return charge.amountMinor + rated(quantity) - rated(charge.quantity);
}

/** Groups of metered lines. Lines of nothing (a price that found no usage) say nothing and are left out. */
export function groupLines(lines: readonly BilledLine[]): LineGroup[] {
  const metered = lines.filter((line) => line.meter !== null && (line.kind === 'usage' || line.kind === 'proration'));
  const groups = Map.groupBy(metered, (line) =>
    [line.itemId, line.priceId, line.meter, line.kind, line.startAtMs, line.endAtMs].join(' '),
  );
  return [...groups.values()].flatMap((own): LineGroup[] => {
    const [first] = own;
    if (first === undefined) return [];
    const { meter, priceId, itemId, startAtMs, endAtMs } = first;
    const kind = first.kind === 'usage' ? 'usage' : 'proration';
    const rounded = own.filter(({ quantity, amountMinor }) => quantity !== 0n || amountMinor !== 0n).length;
    const quantity = own.reduce((sum, line) => sum + line.quantity, 0n);
    return [{ meter, priceId, itemId, startAtMs, endAtMs, kind, quantity, amountMinor: sumLines(own), rounded }];
  });
}

/**
 * Groups go to the charge of their meter and period. A charge that found none takes those of its meter that fit nowhere:
 * they are its usage under a wrong period. What is left over is stray.
 */
export function matchCharges(charges: readonly Charge[], groups: readonly LineGroup[]): Matched {
  const fits = (charge: Charge, group: LineGroup) =>
    group.meter === charge.meter && group.startAtMs === charge.startAtMs && group.endAtMs === charge.endAtMs;
  const unfit = groups.filter((group) => !charges.some((charge) => fits(charge, group)));
  const taken = new Set<LineGroup>();
  const matched = charges.map((charge): MatchedCharge => {
    const own = groups.filter((group) => fits(charge, group));
    if (own.length > 0) return { charge, groups: own, onTime: true };
    const other = unfit.filter(
      (group) => group.meter === charge.meter && group.kind === charge.kind && !taken.has(group) && isHeld(group),
    );
    for (const group of other) taken.add(group);
    return { charge, groups: other, onTime: other.length === 0 };
  });
  return { charges: matched, stray: unfit.filter((group) => !taken.has(group) && isHeld(group)) };
}

function isHeld({ quantity, amountMinor }: LineGroup): boolean {
  return quantity !== 0n || amountMinor !== 0n;
}
