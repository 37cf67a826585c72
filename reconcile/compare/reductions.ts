// Leg L5, what is taken off and put on top: discounts, prepaid credit and tax. Each is judged by what the agreed rule makes
// of the lines as charged, so that a wrong line is not told again as a wrong tax. Pure.

import { divideHalfAway } from '../../domain/decimal.ts';
import type { BilledLine } from '../billing/port.ts';
import type { Finding } from './break.ts';
import { isWithinRounding } from './rating.ts';
import type { OwnSide } from './sides.ts';

export type Reductions = {
  readonly findings: readonly Finding[];
  /** What discounts, credit and tax by themselves make of the differences that other legs named: no break of its own. */
  readonly followingMinor: bigint;
};

/** `usage` is what prepaid credit is for: usage on the subscription after its discount, not that of before a change. */
type Charged = { readonly usage: bigint; readonly discount: bigint; readonly credit: bigint; readonly tax: bigint };

export function compareReductions(own: OwnSide, lines: readonly BilledLine[]): Reductions {
  const { discountMinor, creditMinor, taxMinor } = own.expected;
  const charged = sumUp(lines);
  const should = {
    discount: own.discountBasisPoints === null ? discountMinor : discountOf(lines, own.discountBasisPoints),
    credit: smaller(own.creditAvailableMinor, atLeastZero(charged.usage)),
    tax: taxOf(lines, own.taxBasisPoints ?? 0n),
  };
  const rounded = lines.filter(({ amountMinor }) => amountMinor !== 0n).length;
  const findings = [
    ...compareDiscountAndCredit(own, rounded, { should, charged }),
    ...compareTax(own, rounded, { should: should.tax, charged: charged.tax }),
  ];
  const followingMinor = should.discount - discountMinor + (should.credit - creditMinor) - (should.tax - taxMinor);
  return { findings, followingMinor };
}

/** Only a discount is rounded; credit is spent in whole minor units. */
function compareDiscountAndCredit(
  own: OwnSide,
  lines: number,
  { should, charged }: { should: { discount: bigint; credit: bigint }; charged: Charged },
): Finding[] {
  const discount = charged.discount - should.discount;
  const credit = charged.credit - should.credit;
  const amountMinor = discount + credit;
  if (discount === 0n && credit === 0n) return [];
  return [
    {
      ...sharedOf(own),
      code: credit === 0n && isWithinRounding(discount, lines) ? 'ROUNDING' : 'DISCOUNT_CREDIT_MISMATCH',
      amountMinor,
      expected: `discount ${should.discount}, credit ${should.credit}`,
      actual: `discount ${charged.discount}, credit ${charged.credit}`,
    },
  ];
}

function compareTax(own: OwnSide, lines: number, { should, charged }: { should: bigint; charged: bigint }): Finding[] {
  const amountMinor = should - charged;
  if (amountMinor === 0n) return [];
  const code = isWithinRounding(amountMinor, lines) ? 'ROUNDING' : 'TAX_MISMATCH';
  return [{ ...sharedOf(own), code, amountMinor, expected: `tax ${should}`, actual: `tax ${charged}` }];
}

/** Usage and plan fee are discounted, each line rounded by itself. */
function discountOf(lines: readonly BilledLine[], basisPoints: bigint): bigint {
  return lines
    .filter(({ kind, meter }) => kind === 'plan_fee' || kind === 'proration' || (kind === 'usage' && meter !== null))
    .reduce((sum, { amountMinor }) => sum + share(amountMinor, basisPoints), 0n);
}

/** On what is left of each line, rounded by itself. */
function taxOf(lines: readonly BilledLine[], basisPoints: bigint): bigint {
  return lines.reduce(
    (sum, { amountMinor, discountMinor, creditMinor }) =>
      sum + share(amountMinor - discountMinor - creditMinor, basisPoints),
    0n,
  );
}

function sumUp(lines: readonly BilledLine[]): Charged {
  const sum = (of: (line: BilledLine) => bigint) => lines.reduce((total, line) => total + of(line), 0n);
  return {
    usage: sum((line) => (line.kind === 'usage' && line.meter !== null ? line.amountMinor - line.discountMinor : 0n)),
    discount: sum((line) => line.discountMinor),
    credit: sum((line) => line.creditMinor),
    tax: sum((line) => line.taxMinor),
  };
}

function share(amountMinor: bigint, basisPoints: bigint): bigint {
  return divideHalfAway(amountMinor * basisPoints, 10_000n);
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function atLeastZero(value: bigint): bigint {
  return value > 0n ? value : 0n;
}

function sharedOf({ account, currency }: OwnSide) {
  return { account, currency, meter: null, hours: [] };
}
