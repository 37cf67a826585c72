// What accounting reads, as tables: a CSV or a sheet each. Amounts are exact decimals of their currency. Pure.

import { toIso, type Period } from '../../domain/period.ts';
import { money, text, type Table } from '../report-files/table.ts';
import type { AccrualRow } from './accrual.ts';
import type { RollForwardRow } from './credit-roll-forward.ts';
import type { JournalEntry } from './journal.ts';

/** `atMs` is the instant of the accrual. */
export function accrualTable(rows: readonly AccrualRow[], atMs: number): Table {
  return {
    name: 'unbilled_accrual',
    columns: ['at', 'account', 'period', 'currency', 'earned', 'covered_by_credit', 'invoiced', 'unbilled'],
    rows: rows.map((row) => [
      text(toIso(atMs)),
      text(row.account),
      text(row.period),
      text(row.currency),
      money(row.earnedMinor, row.currency),
      money(row.creditMinor, row.currency),
      money(row.invoicedMinor, row.currency),
      money(row.unbilledMinor, row.currency),
    ]),
  };
}

export function rollForwardTable(rows: readonly RollForwardRow[], period: Period): Table {
  return {
    name: 'prepaid_credit',
    columns: ['period', 'account', 'grant', 'currency', 'opening', 'granted', 'applied', 'expired', 'closing'],
    rows: rows.map((row) => [
      text(period.key),
      text(row.account),
      text(row.grantId),
      text(row.currency),
      money(row.openingMinor, row.currency),
      money(row.grantedMinor, row.currency),
      money(row.appliedMinor, row.currency),
      money(row.expiredMinor, row.currency),
      money(row.closingMinor, row.currency),
    ]),
  };
}

/** One row per posting; of debit and credit exactly one is filled. */
export function journalTable(entries: readonly JournalEntry[]): Table {
  return {
    name: 'journal',
    columns: [
      'posted_at',
      'entry',
      'kind',
      'account',
      'ledger_account',
      'meter',
      'case',
      'currency',
      'debit',
      'credit',
    ],
    rows: entries.flatMap((entry) =>
      entry.postings.map((posting) => [
        text(toIso(entry.postedAtMs)),
        text(entry.id),
        text(entry.kind),
        text(entry.account),
        text(posting.ledgerAccount),
        text(posting.meter),
        text(posting.caseId),
        text(entry.currency),
        money(posting.debitMinor === 0n ? null : posting.debitMinor, entry.currency),
        money(posting.creditMinor === 0n ? null : posting.creditMinor, entry.currency),
      ]),
    ),
  };
}
