// Leg L5, what is not usage: the plan fee, a commitment's shortfall and adjustments of earlier periods, against the items
// that stand on the invoice. Pure.

import { sumLines } from '../../domain/rating.ts';
import type { ExpectedLine } from '../../domain/expected-invoice.ts';
import type { BilledLine } from '../billing/port.ts';
import type { Finding } from './break.ts';
import type { OwnSide } from './sides.ts';

/**
 * Another number of items is a quantity difference, the right number at another amount a tier difference (the fee's tiers
 * are its minimum and its share). Items that balance out still are a break, of no money.
 */
export function compareItems(own: OwnSide, lines: readonly BilledLine[]): Finding[] {
  const agreed = own.expected.lines.filter(isItem);
  const expectedMinor = sumLines(agreed);
  const chargedMinor = sumLines(lines);
  const asExpected = sameItems(agreed.map(nameAgreed), lines.map(nameCharged));
  if (asExpected && chargedMinor === expectedMinor) return [];
  const fees = lines.filter(({ kind }) => kind === 'plan_fee').length;
  const onlyFee = agreed.every(({ kind }) => kind === 'plan_fee');
  return [
    {
      code: asExpected ? 'TIER_MISMATCH' : 'QTY_MISMATCH',
      account: own.account,
      meter: null,
      currency: own.currency,
      amountMinor: expectedMinor - chargedMinor,
      hours: [],
      expected: onlyFee ? `plan fee ${expectedMinor}` : `${agreed.length} items of ${expectedMinor}`,
      actual: `${fees} plan fee and ${lines.length - fees} other lines of ${chargedMinor}`,
    },
  ];
}

/** An item of nothing is not put on an invoice. */
function isItem({ kind, amountMinor }: ExpectedLine): boolean {
  return (kind === 'plan_fee' || kind === 'commitment' || kind === 'adjustment') && amountMinor !== 0n;
}

function nameAgreed({ kind, caseId }: ExpectedLine): string {
  return kind === 'adjustment' ? `case ${caseId ?? 'none'}` : kind === 'plan_fee' ? kind : 'other';
}

function nameCharged({ kind, caseId }: BilledLine): string {
  return kind === 'repair' ? `case ${caseId ?? 'none'}` : kind === 'plan_fee' ? kind : 'other';
}

function sameItems(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.toSorted().every((name, index) => name === b.toSorted()[index]);
}
