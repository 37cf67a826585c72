// Fetches what accounting computes from: agreements and credit through the accounts door, usage through the usage door, invoices
// from the biller. Reads only. An account that can't be read is named with its error and leaves the others as they are: its
// amount is unknown and not zero.

import type { Account, Accounts } from '../../accounts/door.ts';
import type { Usage, UsageReads } from '../../aggregate/usage.ts';
import { TrueupError, invariant, type ErrorCode } from '../../domain/contracts/errors.ts';
import { parseCurrency } from '../../domain/money.ts';
import { periodOf, type Period } from '../../domain/period.ts';
import type { Adjustment } from '../../domain/rating-invoice.ts';
import { asOfPeriod, toSubscriptionRef } from '../activities/deps.ts';
import type { BilledInvoice, BillingInvoices } from '../billing/port.ts';
import { computeAccrual, type AccrualRow, type InvoicedAmount } from './accrual.ts';
import { computeRollForward, type RollForwardRow } from './credit-roll-forward.ts';
import { toCreditNoteEntry, toInvoiceEntry, type JournalEntry } from './journal.ts';

type AccountingDeps = {
  readonly accounts: Pick<Accounts, 'fetchAccounts' | 'fetchAgreements' | 'fetchHistories'>;
  readonly usage: Pick<Usage, 'fetchClosedHours'> & Pick<UsageReads, 'fetchAccountHours'>;
  readonly billing: Pick<BillingInvoices, 'fetchAccountBilling'>;
};

export type Failure = { readonly account: string; readonly period: string; readonly code: ErrorCode };
type Read<Row> = { readonly rows: Row[]; readonly failed: Failure[] };

export type AccrualRequest = {
  readonly atMs: number;
  /**
   * Those whose invoices may be outstanding; usually the period of the instant and the one before. Of a period whose close is
   * done usage is read as closed, else as it stands.
   */
  readonly periods: readonly { readonly period: Period; readonly closed: boolean }[];
  /** Approved cases by `<account> <period that carries them>`. */
  readonly adjustments: ReadonlyMap<string, readonly Adjustment[]>;
};

/** One row per account and period. */
export async function fetchAccrual(deps: AccountingDeps, request: AccrualRequest): Promise<Read<AccrualRow>> {
  const reads: Read<AccrualRow>[] = [];
  for (const { period, closed } of request.periods) {
    const fetchHours = async (account: string) =>
      closed ? deps.usage.fetchClosedHours(period, account) : deps.usage.fetchAccountHours(account, period);
    const agreements = new Map((await deps.accounts.fetchAgreements(period)).map((one) => [one.account, one]));
    reads.push(
      await eachAccount(deps, period, async (account) => {
        const agreement = agreements.get(account.id);
        invariant(agreement !== undefined, 'I6', `account ${account.id} has no agreement for ${period.key}`);
        const hours = await fetchHours(account.id);
        const { invoices } = await deps.billing.fetchAccountBilling(toSubscriptionRef(account), period);
        const invoiced = invoices.filter((invoice) => isOf(invoice, period)).map(toInvoicedAmount);
        const adjustments = request.adjustments.get(`${account.id} ${period.key}`) ?? [];
        return [computeAccrual({ agreement, hours, adjustments, invoiced }, request.atMs)];
      }),
    );
  }
  return { rows: reads.flatMap(({ rows }) => rows), failed: reads.flatMap(({ failed }) => failed) };
}

export async function fetchRollForward(
  { accounts }: Pick<AccountingDeps, 'accounts'>,
  period: Period,
): Promise<RollForwardRow[]> {
  return computeRollForward(await accounts.fetchHistories(), period);
}

/** Entries of the period's finalized invoices and their credit notes; a voided invoice leaves no trace in the ledger. */
export async function fetchJournal(deps: AccountingDeps, period: Period): Promise<Read<JournalEntry>> {
  return eachAccount(deps, period, async (account) => {
    const { invoices } = await deps.billing.fetchAccountBilling(toSubscriptionRef(account), period);
    return invoices.filter((invoice) => isOf(invoice, period)).flatMap((invoice) => toEntries(account.id, invoice));
  });
}

function toEntries(account: string, invoice: BilledInvoice): JournalEntry[] {
  const { finalizedAtMs } = invoice;
  if (finalizedAtMs === null || invoice.status === 'void') return [];
  const currency = parseCurrency(invoice.currency);
  const issued = invoice.creditNotes.filter(({ status }) => status === 'issued');
  return [
    toInvoiceEntry({ ...invoice, id: invoice.number ?? invoice.id, account, currency, finalizedAtMs }),
    ...issued.map((note) =>
      toCreditNoteEntry({ ...note, id: note.number ?? note.id, account, currency, issuedAtMs: note.createdAtMs }),
    ),
  ];
}

/** An invoice belongs to the period of its newest line: cases of earlier periods are settled on a later invoice. */
function isOf({ lines }: BilledInvoice, period: Period): boolean {
  const newestAtMs = Math.max(...lines.map(({ startAtMs }) => startAtMs));
  return lines.length > 0 && periodOf(newestAtMs).key === period.key;
}

function toInvoicedAmount({ status, finalizedAtMs, ...invoice }: BilledInvoice): InvoicedAmount {
  const netMinor = status === 'void' ? 0n : invoice.subtotalMinor - invoice.discountMinor - invoice.creditMinor;
  return { finalizedAtMs, netMinor };
}

async function eachAccount<Row>(
  deps: AccountingDeps,
  period: Period,
  read: (account: Account) => Promise<Row[]>,
): Promise<Read<Row>> {
  const rows: Row[] = [];
  const failed: Failure[] = [];
  for (const account of await deps.accounts.fetchAccounts(asOfPeriod(period))) {
    try {
      rows.push(...(await read(account)));
    } catch (error) {
      if (!(error instanceof TrueupError)) throw error;
      failed.push({ account: account.id, period: period.key, code: error.code });
    }
  }
  return { rows, failed };
}
