// How much of a period agrees: of its accounts, and of its rated money. In basis points, cut and never rounded up, so that
// whatever differs keeps them below the whole. Pure.

import { magnitude } from '../../domain/decimal.ts';
import type { Currency } from '../../domain/money.ts';
import type { Report } from './types.ts';

const WHOLE = 10_000n;

export type MatchedMoney = {
  readonly currency: Currency;
  readonly basisPoints: bigint;
  /** Of open breaks: the sum, and the sum of magnitudes. */
  readonly netMinor: bigint;
  readonly grossMinor: bigint;
};

export type Matched = {
  /** Accounts that were billed and about which nothing is open. */
  readonly accounts: number;
  readonly accountsBasisPoints: bigint;
  readonly money: readonly MatchedMoney[];
};

export function computeMatched(report: Report): Matched {
  const open = report.breaks.filter(({ status }) => status === 'open');
  const differing = new Set(open.map(({ account }) => account));
  const accounts = report.accounts.filter(
    ({ account, state, unexplainedMinor }) => state === 'billed' && unexplainedMinor === '0' && !differing.has(account),
  ).length;
  const money = report.money.map(({ currency, ratedMinor, unexplainedMinor }): MatchedMoney => {
    const amounts = open.filter((of) => of.currency === currency).map(({ amountMinor }) => BigInt(amountMinor));
    const grossMinor = amounts.reduce((sum, amount) => sum + magnitude(amount), 0n);
    const rated = BigInt(ratedMinor);
    const off = grossMinor + magnitude(BigInt(unexplainedMinor));
    return {
      currency,
      basisPoints: off === 0n ? WHOLE : off >= rated ? 0n : ((rated - off) * WHOLE) / rated,
      netMinor: amounts.reduce((sum, amount) => sum + amount, 0n),
      grossMinor,
    };
  });
  const of = BigInt(report.accounts.length);
  return { accounts, accountsBasisPoints: of === 0n ? WHOLE : (BigInt(accounts) * WHOLE) / of, money };
}
