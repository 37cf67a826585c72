import { describe, expect, test } from 'vitest';
import { PLANS, type Terms } from '../../domain/price-book.ts';
import { compareLate, compareUnattributed, sumByAccount } from './late.ts';

const business: Terms = { ...PLANS.business, planId: 'business' };
const acme = { id: 'acme', currency: 'usd' as const, terms: business };
const closedTotal = (account: string, quantity: bigint) => ({
  account,
  namespace: `main.${account}`,
  meter: 'actions' as const,
  quantity,
  events: 1n,
});
const lateTotal = (account: string, namespace: string, closed: bigint, withLate: bigint) => ({
  account,
  namespace,
  meter: 'actions' as const,
  closed,
  withLate,
});

describe('late usage', () => {
  test('is worth what it adds on top of the closed total of the whole account, not of its namespace', () => {
    const totals = [closedTotal('acme', 24_000_000n)];
    const late = [lateTotal('acme', 'a.acme', 0n, 1_000_000n), lateTotal('acme', 'b.acme', 0n, 10_000_000n)];
    expect(compareLate([acme], sumByAccount(totals), late)).toMatchObject([
      { code: 'USAGE_LATE', meter: 'actions', amountMinor: 5_000n, expected: '35000000', actual: '24000000' },
    ]);
  });

  test('taken back is worth a negative amount', () => {
    const totals = sumByAccount([closedTotal('acme', 35_000_000n)]);
    const late = [lateTotal('acme', 'a.acme', 35_000_000n, 25_000_000n)];
    expect(compareLate([acme], totals, late)).toMatchObject([{ amountMinor: -5_000n }]);
  });

  test('that cancels out within an account is no difference', () => {
    const late = [lateTotal('acme', 'a.acme', 0n, 5n), lateTotal('acme', 'b.acme', 9n, 4n)];
    expect(compareLate([acme], sumByAccount([closedTotal('acme', 9n)]), late)).toEqual([]);
  });

  test('of nobody we know is unattributed and not late', () => {
    const late = [lateTotal('ghost', 'a.ghost', 0n, 100_000n)];
    expect(compareLate([acme], new Map(), late)).toEqual([]);
    expect(compareUnattributed(new Set(['acme']), [], late)).toMatchObject([
      { code: 'USAGE_UNATTRIBUTED', account: 'ghost', amountMinor: 50n, expected: '100000' },
    ]);
  });
});

describe('unattributed usage', () => {
  test('is one break per name and meter at the developer list price', () => {
    const totals = [closedTotal('ghost', 60_000n), closedTotal('ghost', 40_000n), closedTotal('acme', 1n)];
    expect(compareUnattributed(new Set(['acme']), totals, [])).toMatchObject([{ account: 'ghost', amountMinor: 50n }]);
  });

  test('is nothing when every name is registered', () => {
    expect(compareUnattributed(new Set(['acme']), [closedTotal('acme', 1n)], [])).toEqual([]);
  });
});
