// Legs L3 (quantity), L4 (rating) and L5 (the rest of the invoice), for one finalized invoice. Pure.
// Each leg starts from what the one before it left: quantities against what the biller had been sent, amounts against
// the charged quantity at the agreed price. So one cause gives one break, and the breaks' money adds up to
// "rated − charged" whatever is wrong at once.

import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import type { Period } from '../../domain/period.ts';
import type { Terms } from '../../domain/price-book.ts';
import { rateMeter, roundingBoundMinor, sumLines } from '../../domain/rating.ts';
import type { BilledLine } from '../billing/port.ts';
import type { Finding } from './break.ts';

export type InvoiceSides = {
  readonly account: string;
  readonly currency: Currency;
  readonly period: Period;
  readonly terms: Terms;
  /** What the biller's summaries say it was sent; equals own usage unless L2 has named a difference. */
  readonly transmitted: Readonly<Record<MeterName, bigint>>;
  readonly feeMinor: bigint;
  readonly lines: readonly BilledLine[];
};

/** All differences between what was sent and agreed, and what the invoice charges. */
export function compareInvoice(sides: InvoiceSides): Finding[] {
  const isUsage = (line: BilledLine) =>
    line.meter !== null && line.startAtMs === sides.period.startAtMs && line.endAtMs === sides.period.endAtMs;
  const byMeter = Map.groupBy(
    sides.lines.filter((line) => isUsage(line)),
    (line) => line.meter,
  );
  const rest = sides.lines.filter((line) => !isUsage(line));
  const usage = METERS.flatMap((meter) => compareMeter(sides, meter, byMeter.get(meter) ?? []));
  return [...usage, ...compareRest(sides, rest)];
}

/** The lines of one meter as a group: graduated prices make several lines of one item and period. */
function compareMeter(sides: InvoiceSides, meter: MeterName, lines: readonly BilledLine[]): Finding[] {
  const { account, currency } = sides;
  const agreed = sides.terms.prices[meter];
  const sent = sides.transmitted[meter];
  const charged = lines.reduce((sum, line) => sum + line.quantity, 0n);
  const chargedMinor = sumLines(lines);
  const worth = (quantity: bigint) => sumLines(rateMeter(agreed, quantity));
  const findings: Finding[] = [];

  if (sent !== charged) {
    findings.push({
      code: 'QTY_MISMATCH',
      account,
      meter,
      currency,
      amountMinor: worth(sent) - worth(charged),
      hours: [],
      expected: sent.toString(),
      actual: charged.toString(),
    });
  }

  const amountMinor = worth(charged) - chargedMinor;
  const priceIds = [...new Set(lines.map((line) => line.priceId ?? 'none'))].sort();
  const otherPrice = priceIds.some((id) => id !== agreed.id);
  if (!otherPrice && amountMinor === 0n) return findings;
  const shared = { account, meter, currency, amountMinor, hours: [] };
  if (otherPrice) {
    return [...findings, { ...shared, code: 'PRICE_MISMATCH', expected: agreed.id, actual: priceIds.join(' ') }];
  }
  const magnitude = amountMinor < 0n ? -amountMinor : amountMinor;
  const code = magnitude <= roundingBoundMinor(lines.length) ? 'ROUNDING' : 'TIER_MISMATCH';
  return [...findings, { ...shared, code, expected: worth(charged).toString(), actual: chargedMinor.toString() }];
}

/**
 * What is not usage of the period: expected is the plan fee as one item, or nothing. Another number of items is a
 * quantity difference, the right number at another amount a tier difference (the fee's tiers are its minimum and its
 * share). Items that balance out still are a break, of no money.
 */
function compareRest(sides: InvoiceSides, lines: readonly BilledLine[]): Finding[] {
  const expectedCount = sides.feeMinor > 0n ? 1 : 0;
  const fees = lines.filter((line) => line.planFee).length;
  const chargedMinor = sumLines(lines);
  const asExpected = lines.length === expectedCount && fees === expectedCount;
  if (asExpected && chargedMinor === sides.feeMinor) return [];
  return [
    {
      code: asExpected ? 'TIER_MISMATCH' : 'QTY_MISMATCH',
      account: sides.account,
      meter: null,
      currency: sides.currency,
      amountMinor: sides.feeMinor - chargedMinor,
      hours: [],
      expected: `plan fee ${sides.feeMinor}`,
      actual: `${fees} plan fee and ${lines.length - fees} other lines of ${chargedMinor}`,
    },
  ];
}
