// Leg L2 of a whole account: what the biller says it was sent, against our closed usage, and what of it reached each charge.
// A summary that was not read is unknown: it says nothing and is told as still expected (promise I6). Pure.

import { WAITS } from '../../domain/contracts/waits.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Finding, LegResult, NotYetDue } from './break.ts';
import { worthAt, type Charge } from './charges.ts';
import type { BillerSide, CompareAt, OwnSide } from './sides.ts';
import { compareTransmit, computeDifferingHours, sumHours, type HourQuantities } from './transmit.ts';

export type Sent = LegResult & {
  /** What the biller was sent of each charge, by its position; equals own usage unless this leg names a difference. */
  readonly sent: readonly bigint[];
};

export function compareSummaries(
  own: OwnSide,
  biller: Pick<BillerSide, 'summaries' | 'hours'>,
  charges: readonly Charge[],
  at: CompareAt,
): Sent {
  const sent = charges.map(({ quantity }) => quantity);
  const findings: Finding[] = [];
  const expected: NotYetDue[] = [];
  const dueAtMs = own.period.endAtMs + WAITS.graceMs;
  for (const meter of METERS) {
    const ownTotal = own.segments.reduce((sum, { quantities }) => sum + quantities[meter], 0n);
    const summary = biller.summaries[meter];
    if (summary === undefined) {
      if (ownTotal !== 0n) expected.push(toExpected(own, { meter, amountMinor: 0n, dueAtMs: null, why: 'never read' }));
      continue;
    }
    if (summary === ownTotal) continue;
    const found = compareMeter(own, biller, { meter, summary, charges, sent });
    if (at.nowMs >= dueAtMs) {
      findings.push(...found);
      continue;
    }
    const amountMinor = found.reduce((sum, finding) => sum + finding.amountMinor, 0n);
    expected.push(toExpected(own, { meter, amountMinor, dueAtMs, why: 'grace is not over' }));
  }
  return { findings, expected, sent };
}

/** The differences of one meter, part by part. Corrects `sent` in place. */
function compareMeter(
  own: OwnSide,
  biller: Pick<BillerSide, 'hours'>,
  of: { meter: MeterName; summary: bigint; charges: readonly Charge[]; sent: bigint[] },
): Finding[] {
  const { meter, summary, charges, sent } = of;
  const sides = toHours(own, biller, { meter, summary });
  const shared = { account: own.account, meter, currency: own.currency };
  const parts = charges.flatMap((charge, index) => (charge.meter === meter ? [{ charge, index }] : []));
  const isWithin = (hour: number, part: Pick<Charge, 'startAtMs' | 'endAtMs'>) =>
    hour >= part.startAtMs && hour < part.endAtMs;
  const findings = parts.flatMap(({ charge, index }) => {
    const within = (hours: HourQuantities) => new Map([...hours].filter(([hour]) => isWithin(hour, charge)));
    const [ours, theirs] = [within(sides.own), within(sides.billers)];
    sent[index] = charge.quantity - sumHours(ours) + sumHours(theirs);
    return compareTransmit({ ...shared, worth: (quantity) => worthAt(charge, quantity), own: ours, billers: theirs });
  });
  // Usage that no line is agreed for, as in a trial, differs by no money.
  const beyond = (hours: HourQuantities) =>
    new Map([...hours].filter(([hour]) => !parts.some(({ charge }) => isWithin(hour, charge))));
  const uncharged = { worth: () => 0n, own: beyond(sides.own), billers: beyond(sides.billers) };
  findings.push(...compareTransmit({ ...shared, ...uncharged }));
  return sides.hourly ? findings : findings.map((finding) => ({ ...finding, hours: [] }));
}

/** Both sides by hour; where they were not read, the whole of each part stands at its start and the rest at the last one. */
function toHours(
  own: OwnSide,
  biller: Pick<BillerSide, 'hours'>,
  { meter, summary }: { meter: MeterName; summary: bigint },
): { own: HourQuantities; billers: HourQuantities; hourly: boolean } {
  const [ours, theirs] = [own.hours[meter], biller.hours[meter]];
  if (ours !== undefined && theirs !== undefined && computeDifferingHours(ours, theirs).length > 0) {
    return { own: ours, billers: theirs, hourly: true };
  }
  const whole = new Map(own.segments.map((segment) => [segment.startAtMs, segment.quantities[meter]]));
  let left = summary;
  const reached = own.segments.map((segment, index): readonly [number, bigint] => {
    const quantity = segment.quantities[meter];
    const share = index === own.segments.length - 1 || left < quantity ? left : quantity;
    left -= share;
    return [segment.startAtMs, share];
  });
  return { own: whole, billers: new Map(reached), hourly: false };
}

function toExpected(own: OwnSide, of: Pick<NotYetDue, 'meter' | 'amountMinor' | 'dueAtMs' | 'why'>): NotYetDue {
  return { what: 'summary', account: own.account, currency: own.currency, ...of };
}
