// Leg L4, rating: what the charged quantity should come to under the agreed price, against the amount on the lines. Lines
// of a change inside the period are judged as a whole, quantity and price included. Pure.

import { magnitude } from '../../domain/decimal.ts';
import { roundingBoundMinor, sumLines } from '../../domain/rating.ts';
import type { BilledLine } from '../billing/port.ts';
import type { Finding } from './break.ts';
import { worthAt, type Charge, type MatchedCharge } from './charges.ts';
import { spanOf } from './quantity.ts';
import type { OwnSide } from './sides.ts';

export function isWithinRounding(amountMinor: bigint, lines: number): boolean {
  return magnitude(amountMinor) <= roundingBoundMinor(lines);
}

/** PRICE_MISMATCH takes the whole difference of a charge; else it is within the bound of rounding, or a tier is wrong. */
export function compareRating(own: OwnSide, { charge, groups }: MatchedCharge): Finding[] {
  const charged = groups.reduce((sum, { quantity }) => sum + quantity, 0n);
  const chargedMinor = sumLines(groups);
  const should = worthAt(charge, charged);
  const amountMinor = should - chargedMinor;
  const priceIds = priceIdsOf(groups);
  const shared = { account: own.account, meter: charge.meter, currency: own.currency, amountMinor, hours: [] };
  if (priceIds.some((id) => id !== charge.price.id)) {
    return [{ ...shared, code: 'PRICE_MISMATCH', expected: charge.price.id, actual: priceIds.join(' ') }];
  }
  if (amountMinor === 0n) return [];
  const code = isWithinRounding(amountMinor, roundedOf(groups)) ? 'ROUNDING' : 'TIER_MISMATCH';
  return [{ ...shared, code, expected: should.toString(), actual: chargedMinor.toString() }];
}

/** The lines of a price of before a change: one break, whatever is wrong with them. */
export function compareProration(own: OwnSide, { charge, groups, onTime }: MatchedCharge, sent: bigint): Finding[] {
  const charged = groups.reduce((sum, { quantity }) => sum + quantity, 0n);
  const chargedMinor = sumLines(groups);
  const priceIds = priceIdsOf(groups);
  const amountMinor = worthAt(charge, sent) - chargedMinor;
  const alike = onTime && charged === sent && priceIds.every((id) => id === charge.price.id);
  if (alike && amountMinor === 0n) return [];
  const rounded = alike && isWithinRounding(amountMinor, roundedOf(groups));
  const actual = [`${charged} at ${priceIds.join(' ') || 'no price'}`, ...new Set(groups.map(spanOf))].join(', ');
  return [
    {
      code: rounded ? 'ROUNDING' : 'PRORATION_MISMATCH',
      account: own.account,
      meter: charge.meter,
      currency: own.currency,
      amountMinor,
      hours: [],
      expected: rounded ? worthAt(charge, sent).toString() : describe(charge, sent),
      actual: rounded ? chargedMinor.toString() : actual,
    },
  ];
}

/** Prorated fees: no meter and no quantity, only amounts. */
export function compareProratedFees(own: OwnSide, lines: readonly BilledLine[]): Finding[] {
  const agreed = own.expected.lines.filter((line) => line.kind === 'proration' && line.meter === null);
  const charged = lines.filter((line) => line.kind === 'proration' && line.meter === null);
  const amountMinor = sumLines(agreed) - sumLines(charged);
  if (amountMinor === 0n) return [];
  const rounded = agreed.length === charged.length && isWithinRounding(amountMinor, charged.length);
  return [
    {
      code: rounded ? 'ROUNDING' : 'PRORATION_MISMATCH',
      account: own.account,
      meter: null,
      currency: own.currency,
      amountMinor,
      hours: [],
      expected: sumLines(agreed).toString(),
      actual: sumLines(charged).toString(),
    },
  ];
}

function describe(charge: Charge, sent: bigint): string {
  return `${sent} at ${charge.price.id}, ${spanOf(charge)}`;
}

function priceIdsOf(groups: MatchedCharge['groups']): string[] {
  return [...new Set(groups.map(({ priceId }) => priceId ?? 'none'))].sort();
}

function roundedOf(groups: MatchedCharge['groups']): number {
  return groups.reduce((sum, { rounded }) => sum + rounded, 0);
}
