// What stands in the books, added up: cases that are not settled, and the run that stands of the newest reported period.
// Reads only; money in minor units of its currency.

import { sql } from 'kysely';
import type { BreakCode } from '../../domain/contracts/break-codes.ts';
import type { Severity } from '../../domain/contracts/severities.ts';
import { magnitude } from '../../domain/decimal.ts';
import { CASE_STATES, isSettled } from '../cases/states.ts';
import type { ReconcileDb } from '../store/db.ts';
import type { AccountState } from '../store/tables.ts';

export type UnsettledCase = {
  readonly caseId: string;
  readonly period: string;
  readonly account: string;
  readonly code: BreakCode;
  readonly severity: Severity;
  readonly currency: string;
  /** Absolute. */
  readonly amountMinor: bigint;
  readonly openedAtMs: number;
  readonly dueAtMs: number;
};

export type StandingRun = {
  readonly run: string;
  readonly period: string;
  readonly reported: boolean;
  readonly accounts: ReadonlyMap<AccountState, number>;
  readonly invoicedMinor: ReadonlyMap<string, bigint>;
};

export type Books = {
  /** Oldest first. */
  readonly unsettled: readonly UnsettledCase[];
  /** Of the newest period that has one; null before the first. */
  readonly newestRun: StandingRun | null;
};

const UNSETTLED = CASE_STATES.filter((state) => !isSettled(state));

export async function fetchBooks(db: ReconcileDb): Promise<Books> {
  const rows = await db
    .selectFrom('cases')
    .selectAll()
    .where('state', 'in', UNSETTLED)
    .orderBy('opened_at')
    .orderBy('case_id')
    .execute();
  const unsettled = rows.map((row) => ({
    caseId: row.case_id,
    period: row.period,
    account: row.account,
    code: row.code as BreakCode,
    severity: row.severity,
    currency: row.currency,
    amountMinor: magnitude(BigInt(row.amount_minor)),
    openedAtMs: row.opened_at.getTime(),
    dueAtMs: row.due_at.getTime(),
  }));
  return { unsettled, newestRun: await fetchNewestRun(db) };
}

/**
 * Whether a period carries both signatures. Whether they still hold is sign-off/book.ts's to say, which hashes everything
 * again; this is for whoever looks every few seconds.
 */
export async function fetchIsSigned(db: ReconcileDb, period: string): Promise<boolean> {
  const row = await db
    .selectFrom('sign_offs')
    .select('id')
    .where('period', '=', period)
    .where('approved_at', 'is not', null)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

async function fetchNewestRun(db: ReconcileDb): Promise<StandingRun | null> {
  const newest = await db
    .selectFrom('reconcile_runs')
    .select(['run', 'period', 'report_hash'])
    .orderBy('period', 'desc')
    .orderBy('revision', 'desc')
    .executeTakeFirst();
  if (newest === undefined) return null;
  const rows = await db
    .selectFrom('run_accounts')
    .select(['state', 'currency', ({ fn }) => fn.countAll<string>().as('accounts')])
    .select(sql<string | null>`sum(invoiced_minor)`.as('invoiced'))
    .where('run', '=', newest.run)
    .groupBy(['state', 'currency'])
    .execute();
  const accounts = new Map<AccountState, number>();
  const invoicedMinor = new Map<string, bigint>();
  for (const row of rows) {
    accounts.set(row.state, (accounts.get(row.state) ?? 0) + Number(row.accounts));
    invoicedMinor.set(row.currency, (invoicedMinor.get(row.currency) ?? 0n) + BigInt(row.invoiced ?? '0'));
  }
  return { run: newest.run, period: newest.period, reported: newest.report_hash !== null, accounts, invoicedMinor };
}
