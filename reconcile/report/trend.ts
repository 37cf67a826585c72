// How the last periods went, per currency: whether differences grow is not to be seen in one of them. Pure; drawn beside a
// report and never part of its hashes, because it changes when another period does.

import { magnitude } from '../../domain/decimal.ts';
import type { Currency } from '../../domain/money.ts';
import type { Report } from './types.ts';

export type TrendPoint = {
  readonly period: string;
  readonly result: Report['verdict']['result'];
  readonly currency: Currency;
  readonly ratedMinor: string;
  readonly invoicedMinor: string;
  readonly openBreaks: number;
  /** Sum of the open breaks' money; what offsets hides in it. */
  readonly netMinor: string;
  /** Sum of their magnitudes. */
  readonly grossMinor: string;
};

export const TREND_PERIODS = 12;

/** One report per period, the oldest first. */
export function toTrend(reports: readonly Report[]): TrendPoint[] {
  return [...reports]
    .sort((a, b) => (a.period < b.period ? -1 : 1))
    .flatMap(({ period, verdict, money, breaks }) =>
      money.map(({ currency, ratedMinor, invoicedMinor }) => {
        const open = breaks.filter((found) => found.currency === currency && found.status === 'open');
        const amounts = open.map(({ amountMinor }) => BigInt(amountMinor));
        const sum = (values: readonly bigint[]) => values.reduce((total, value) => total + value, 0n).toString();
        return {
          period,
          result: verdict.result,
          currency,
          ratedMinor,
          invoicedMinor,
          openBreaks: open.length,
          netMinor: sum(amounts),
          grossMinor: sum(amounts.map(magnitude)),
        };
      }),
    );
}
