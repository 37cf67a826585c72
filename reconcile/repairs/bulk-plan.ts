// Gathers what a bulk correction is planned from: agreements, closed and selected usage through their doors, invoices from the
// biller. Reads only; a dry run. An account that can't be read is told with the reason and leaves the others as they are.

import type { Account, Accounts } from '../../accounts/door.ts';
import type { AccountHour, SourceSelection, SourceUsage, Usage } from '../../aggregate/usage.ts';
import { TrueupError, invariant } from '../../domain/contracts/errors.ts';
import type { Period } from '../../domain/period.ts';
import { forEachAtOnce } from '../activities/at-once.ts';
import { asOfPeriod, toSubscriptionRef } from '../activities/deps.ts';
import type { AccountBilling, BillingInvoices } from '../billing/port.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchCorrected } from './bulk-book.ts';
import {
  computeRerating,
  computeUsageCorrection,
  type BulkAccount,
  type BulkMoney,
  type NewTiers,
} from './bulk-money.ts';
import { planBulk, type BulkPlan } from './bulk.ts';

const AT_ONCE = 4;

export type BulkDeps = {
  readonly db: ReconcileDb;
  readonly accounts: Pick<Accounts, 'fetchAccounts' | 'fetchAgreements'>;
  readonly usage: Pick<Usage, 'fetchClosedHours'> & SourceUsage;
  readonly billing: Pick<BillingInvoices, 'fetchAccountBilling'>;
};

export type BulkRequest = {
  readonly bulkId: string;
  readonly period: Period;
  readonly reason: string;
  readonly nowMs: number;
  readonly onRead?: (done: number, total: number) => void;
};

/** What the selected usage should have been: hour by hour, from what it was counted as. */
export type Correct = (counted: readonly AccountHour[]) => readonly AccountHour[];

export type PlannedCorrection = {
  readonly plan: BulkPlan;
  readonly counted: readonly AccountHour[];
  /** With selected usage, but not registered: billed to nobody, so nothing is corrected. */
  readonly unregistered: readonly string[];
};

/** Throws what the usage door throws, and RangeError where more would be taken back than was closed. */
export async function planUsageCorrection(
  deps: BulkDeps,
  request: BulkRequest & { readonly selection: SourceSelection; readonly correct: Correct },
): Promise<PlannedCorrection> {
  const { period, selection, correct } = request;
  const counted = await deps.usage.fetchSourceHours(period, selection);
  const corrected = correct(counted);
  const touched = new Set([...counted, ...corrected].map(({ account }) => account));
  const accounts = await fetchBulkAccounts(deps, request, (id) => touched.has(id));
  const registered = new Set(accounts.map(({ agreement }) => agreement.account));
  const money = computeUsageCorrection({ accounts, counted, corrected });
  const unregistered = [...touched].filter((id) => !registered.has(id)).sort();
  return { plan: await plan(deps, request, money), counted, unregistered };
}

export type Rerating = {
  readonly tiers: NewTiers;
  /** Those concerned; by account and by the plan they had at the period's end. Null for all. */
  readonly account: string | null;
  readonly planId: string | null;
};

export async function planRerating(deps: BulkDeps, request: BulkRequest & Rerating): Promise<BulkPlan> {
  const { account, planId, tiers, bulkId } = request;
  const accounts = await fetchBulkAccounts(deps, request, (id) => account === null || id === account);
  const concerned = accounts.filter(
    ({ agreement }) => planId === null || agreement.segments.at(-1)?.terms.planId === planId,
  );
  return plan(deps, request, computeRerating(concerned, tiers, bulkId));
}

async function fetchBulkAccounts(
  { accounts, usage }: BulkDeps,
  { period }: BulkRequest,
  isConcerned: (account: string) => boolean,
): Promise<BulkAccount[]> {
  const agreements = (await accounts.fetchAgreements(period)).filter(({ account }) => isConcerned(account));
  const found: BulkAccount[] = [];
  await forEachAtOnce(AT_ONCE, agreements, async (agreement) => {
    found.push({ agreement, closed: await usage.fetchClosedHours(period, agreement.account) });
  });
  return found.sort((a, b) => (a.agreement.account < b.agreement.account ? -1 : 1));
}

async function plan(deps: BulkDeps, request: BulkRequest, money: readonly BulkMoney[]): Promise<BulkPlan> {
  const { bulkId, period, reason, nowMs, onRead } = request;
  const accounts = new Map((await deps.accounts.fetchAccounts(asOfPeriod(period))).map((one) => [one.id, one]));
  const barred = new Map<string, string>();
  for (const [account, by] of await fetchCorrected(deps.db, period)) {
    if (by !== bulkId) barred.set(account, alreadyCorrected(by));
  }
  const billing = new Map<string, AccountBilling>();
  const due = money.filter(({ account, amountMinor }) => amountMinor !== 0n && !barred.has(account));
  let done = 0;
  await forEachAtOnce(AT_ONCE, due, async ({ account }) => {
    const registered = accounts.get(account);
    invariant(registered !== undefined, 'I6', `account ${account} has an agreement and is not registered`);
    try {
      billing.set(account, await fetchBilling(deps, registered, period));
    } catch (error) {
      if (!(error instanceof TrueupError) || error.kind === 'bug') throw error;
      barred.set(account, error.message);
    }
    done += 1;
    onRead?.(done, due.length);
  });
  return planBulk({ bulkId, period, reason, money, billing, barred, nowMs });
}

async function fetchBilling({ billing }: BulkDeps, account: Account, period: Period): Promise<AccountBilling> {
  return billing.fetchAccountBilling(toSubscriptionRef(account), period);
}

/** Tiers make two corrections of one account depend on each other, so the second would be worth something else. */
function alreadyCorrected(bulkId: string): string {
  return `bulk correction ${bulkId} changes what it owes for the period already: drop that one, or correct both in one`;
}
