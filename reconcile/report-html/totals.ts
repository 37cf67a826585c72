// Sums over a report that the page shows in several places, so that they can't differ between two of them. Pure.

import type { Currency } from '../../domain/money.ts';
import type { AccountRow, Report, ReportBreak } from '../report/types.ts';

export type Differences = {
  readonly currency: Currency;
  readonly count: number;
  readonly underMinor: bigint;
  /** Not negative. */
  readonly overMinor: bigint;
};

export function currenciesOf(report: Report): Currency[] {
  const rows = [...report.money, ...report.accounts, ...report.breaks, ...report.invoices];
  return [...new Set(rows.map(({ currency }) => currency))].sort();
}

export function sumMinor<T>(items: readonly T[], amountMinor: (item: T) => string | null): bigint {
  return items.reduce((sum, item) => sum + BigInt(amountMinor(item) ?? '0'), 0n);
}

/** Under- and over-billed kept apart: errors that offset each other would hide in the net. */
export function sumDifferences(breaks: readonly ReportBreak[], currency: Currency): Differences {
  const own = breaks.filter((found) => found.currency === currency);
  const signed = (positive: boolean) =>
    sumMinor(
      own.filter(({ amountMinor }) => BigInt(amountMinor) > 0n === positive),
      ({ amountMinor }) => amountMinor,
    );
  return { currency, count: own.length, underMinor: signed(true), overMinor: -signed(false) };
}

/** Rated − invoiced of an account held back for a break: it is not charged yet, so no break takes it off an invoice. */
export function heldMinor(row: AccountRow): bigint {
  return row.state === 'held' ? differenceMinor(row) - BigInt(row.unexplainedMinor) : 0n;
}

/** Rated − invoiced. What is unknown counts as nothing, as in the bridge. */
export function differenceMinor(row: AccountRow): bigint {
  return BigInt(row.totalMinor ?? '0') - BigInt(row.invoicedMinor ?? '0');
}
