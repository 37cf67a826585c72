// Usage that no invoice of the period can hold: what came behind the barrier (L1) and what belongs to nobody (L0). Pure.

import type { LateTotal, NamespaceTotal } from '../../aggregate/usage.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import { PLANS, type Terms } from '../../domain/price-book.ts';
import { rateMeter, sumLines } from '../../domain/rating.ts';
import type { Finding } from './break.ts';

export type LateAccount = { readonly id: string; readonly currency: Currency; readonly terms: Terms };

/** Period totals by `<account> <meter>`. */
export type AccountTotals = ReadonlyMap<string, bigint>;

export const totalKey = (account: string, meter: MeterName) => `${account} ${meter}`;

export function sumByAccount(
  totals: readonly { readonly account: string; readonly meter: MeterName; readonly quantity: bigint }[],
): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { account, meter, quantity } of totals) {
    const key = totalKey(account, meter);
    sums.set(key, (sums.get(key) ?? 0n) + quantity);
  }
  return sums;
}

/** Late usage per account and meter: money = rate(with late) − rate(as closed), under the terms of the closed period. */
export function compareLate(
  accounts: readonly LateAccount[],
  closed: AccountTotals,
  late: readonly LateTotal[],
): Finding[] {
  const changes = sumByAccount(
    late.map(({ withLate, closed: before, ...of }) => ({ ...of, quantity: withLate - before })),
  );
  return accounts.flatMap((account) =>
    METERS.flatMap((meter): Finding[] => {
      const change = changes.get(totalKey(account.id, meter)) ?? 0n;
      if (change === 0n) return [];
      const before = closed.get(totalKey(account.id, meter)) ?? 0n;
      const worth = (quantity: bigint) => sumLines(rateMeter(account.terms.prices[meter], quantity));
      return [
        {
          code: 'USAGE_LATE',
          account: account.id,
          meter,
          amountMinor: worth(before + change) - worth(before),
          currency: account.currency,
          hours: [],
          expected: (before + change).toString(),
          actual: before.toString(),
        },
      ];
    }),
  );
}

/**
 * Usage under names that are no registered account, valued at the developer list price: nobody agreed to anything else.
 * `late` adds what reached such names behind the barrier.
 */
export function compareUnattributed(
  registered: ReadonlySet<string>,
  totals: readonly NamespaceTotal[],
  late: readonly LateTotal[],
): Finding[] {
  const sums = sumByAccount([
    ...totals,
    ...late.map(({ withLate, closed, ...of }) => ({ ...of, quantity: withLate - closed })),
  ]);
  const accounts = [...new Set([...totals, ...late].map(({ account }) => account))].sort();
  return accounts
    .filter((account) => !registered.has(account))
    .flatMap((account) =>
      METERS.flatMap((meter): Finding[] => {
        const quantity = sums.get(totalKey(account, meter)) ?? 0n;
        if (quantity === 0n) return [];
        return [
          {
            code: 'USAGE_UNATTRIBUTED',
            account,
            meter,
            amountMinor: sumLines(rateMeter(PLANS.developer.prices[meter], quantity)),
            currency: 'usd',
            hours: [],
            expected: quantity.toString(),
            actual: '0',
          },
        ];
      }),
    );
}
