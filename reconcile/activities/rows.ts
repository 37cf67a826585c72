// What this room has stored about an account, as steps read it. While a batch is worked on, one read answers for all of its
// accounts; elsewhere each question is a read of its own. Answers are of the step's begin: nothing but the step itself
// writes an account's rows meanwhile.

import type { Period } from '../../domain/period.ts';
import type { Adjustment } from '../../domain/rating-invoice.ts';
import type { AccountInput, RunInput } from '../activity-types.ts';
import type { HourValue } from '../billing/port.ts';
import type { KnownCase, MeterError } from '../compare/sides.ts';
import { fetchHolds } from '../holds/book.ts';
import type { Hold } from '../holds/compute.ts';
import { fetchCarriedOver, fetchExplainedAccounts, fetchKnownCases } from '../repairs/explained.ts';
import { fetchPushed, fetchPushedOf } from '../store/pushes.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchRunAccount, fetchRunAccounts, type RunAccount } from '../store/runs.ts';
import { fetchRatedLines, type StoredPartLine } from '../store/rated.ts';
import { fetchMeterErrors, hasMeterErrors } from '../webhooks/meter-errors.ts';
import { once } from './once.ts';

/** A hold takes effect within so much of business time. */
const HOLDS_AGE_MAX_MS = 1_000;

export type Rows = {
  fetchRunAccount(input: AccountInput): Promise<RunAccount>;
  fetchRatedLines(input: AccountInput): Promise<readonly StoredPartLine[]>;
  fetchPushed(customer: string, period: Period): Promise<readonly HourValue[]>;
  fetchHolds(nowMs: number): Promise<readonly Hold[]>;
  fetchKnownCases(account: string, period: Period): Promise<readonly KnownCase[]>;
  fetchCarriedOver(account: string, period: Period): Promise<readonly Adjustment[]>;
  fetchMeterErrors(customer: string, period: Period): Promise<readonly MeterError[]>;
};

export function createRows(db: ReconcileDb): Rows {
  return {
    fetchRunAccount: async (input) => fetchRunAccount(db, input),
    fetchRatedLines: async ({ run, account }) => fetchRatedLines(db, run, [account]),
    fetchPushed: async (customer, period) => fetchPushed(db, customer, period),
    fetchHolds: async (nowMs) => fetchHolds(db, nowMs),
    fetchKnownCases: async (account, period) => fetchKnownCases(db, { period, account }),
    fetchCarriedOver: async (account, period) => fetchCarriedOver(db, { period, account }),
    fetchMeterErrors: async (customer, period) => fetchMeterErrors(db, customer, period),
  };
}

export type BatchOf = {
  readonly input: RunInput;
  readonly period: Period;
  readonly accounts: readonly string[];
  /** Stripe's customers of the accounts. */
  readonly customers: () => Promise<readonly string[]>;
};

/** The same, answering for a batch. Most accounts have neither cases nor repairs, so it is asked once which ones have. */
export function createBatchRows(db: ReconcileDb, { input, period, accounts, customers }: BatchOf): Rows {
  const single = createRows(db);
  const rows = once(async () => byAccount(await fetchRunAccounts(db, input.run, accounts)));
  const lines = once(async () => Map.groupBy(await fetchRatedLines(db, input.run, accounts), ({ account }) => account));
  const pushed = once(async () => fetchPushedOf(db, await customers(), period));
  const explained = once(async () => fetchExplainedAccounts(db, accounts));
  const failing = once(async () => hasMeterErrors(db, period));
  let holds: { readonly nowMs: number; readonly found: Promise<Hold[]> } | undefined;
  const isOurs = (of: Period) => of.key === period.key;
  return {
    fetchRunAccount: async (of) => (await rows()).get(of.account) ?? single.fetchRunAccount(of),
    fetchRatedLines: async ({ account }) => (await lines()).get(account) ?? [],
    fetchPushed: async (customer, of) =>
      isOurs(of) ? ((await pushed()).get(customer) ?? []) : single.fetchPushed(customer, of),
    fetchHolds: async (nowMs) => {
      if (holds === undefined || nowMs - holds.nowMs >= HOLDS_AGE_MAX_MS)
        holds = { nowMs, found: fetchHolds(db, nowMs) };
      return holds.found;
    },
    fetchKnownCases: async (account, of) =>
      (await explained()).has(account) ? single.fetchKnownCases(account, of) : [],
    fetchCarriedOver: async (account, of) =>
      (await explained()).has(account) ? single.fetchCarriedOver(account, of) : [],
    fetchMeterErrors: async (customer, of) => ((await failing()) ? single.fetchMeterErrors(customer, of) : []),
  };
}

function byAccount(rows: readonly RunAccount[]): ReadonlyMap<string, RunAccount> {
  return new Map(rows.map((row) => [row.account, row]));
}
