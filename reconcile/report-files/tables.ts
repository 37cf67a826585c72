// The tables of a report: what finance files, filters and adds up. Every total on them is a sum of rows beside it. Pure.

import { magnitude } from '../../domain/decimal.ts';
import { toIso } from '../../domain/period.ts';
import { AGE_BUCKETS } from '../report/ageing.ts';
import { toAgedBreaks, type ReportBeside } from '../report/beside.ts';
import { computeMatched } from '../report/matched.ts';
import type { Report } from '../report/types.ts';
import { money, text, whole, type Table } from './table.ts';

export function reportTables(report: Report, beside: ReportBeside = {}): Table[] {
  return [
    summaryTable(report),
    bridgeTable(report),
    cashTable(report),
    matchesTable(report),
    breaksTable(report),
    classesTable(report),
    ageingTable(report, beside),
    invoicesTable(report),
    evidenceTable(report),
  ];
}

function summaryTable(report: Report): Table {
  const { verdict, evidence } = report;
  const rows: [string, string | number][] = [
    ['period_start', report.periodStart],
    ['period_end', report.periodEnd],
    ['run', report.run],
    ['reported_at', report.reportedAt],
    ['result', verdict.result],
    ['accounts', verdict.accounts],
    ['accounts_matched', computeMatched(report).accounts],
    ['billed', verdict.billed],
    ['held', verdict.held],
    ['missing', verdict.missing],
    ['failed', verdict.failed],
    ['open_breaks', verdict.openBreaks],
    ['auto_accepted', verdict.autoAccepted],
    ['unexplained', verdict.unexplained],
    ['events_counted', report.events.counted],
    ['price_book_hash', evidence.priceBookHash],
    ['code_version', evidence.codeVersion],
    ['barrier', evidence.barrier.join(' ')],
    ['late_barrier', evidence.lateBarrier.join(' ')],
    ['usage_digest', evidence.digest],
    ['report_hash', report.reportHash],
    ['evidence_hash', report.evidenceHash],
  ];
  const cell = (value: string | number) => (typeof value === 'number' ? whole(value) : text(value));
  return { name: 'summary', columns: ['item', 'value'], rows: rows.map(([item, value]) => [text(item), cell(value)]) };
}

/** From rated to invoiced, per currency: each step adds to the one before it. */
function bridgeTable({ money: bridges }: Report): Table {
  return {
    name: 'bridge',
    columns: ['currency', 'step', 'label', 'amount', 'count'],
    rows: bridges.flatMap(({ currency, steps }) =>
      steps.map(({ step, label, amountMinor, count }) => [
        text(currency),
        text(step),
        text(label),
        money(amountMinor, currency),
        whole(count),
      ]),
    ),
  };
}

/** From what issued invoices ask for to what was paid, per currency: each step adds to the one before it. */
function cashTable({ cash }: Report): Table {
  return {
    name: 'cash_bridge',
    columns: ['currency', 'step', 'amount', 'count'],
    rows: cash.flatMap(({ currency, dueMinor, notYetDueMinor, steps, paidMinor, unexplainedMinor }) => {
      const row = (step: string, minor: bigint, count: number | null = null) => {
        return [text(currency), text(step), money(minor, currency), whole(count)];
      };
      return [
        row('due', BigInt(dueMinor)),
        row('not_yet_due', -BigInt(notYetDueMinor)),
        ...steps.map(({ step, amountMinor, count }) => row(step, BigInt(amountMinor), count)),
        row('unexplained', -BigInt(unexplainedMinor)),
        row('paid', BigInt(paidMinor)),
      ];
    }),
  };
}

/** One row per account and meter: our quantity and amount beside what the biller was sent. */
function matchesTable({ accounts }: Report): Table {
  return {
    name: 'matches',
    columns: [
      'account',
      'plan',
      'state',
      'meter',
      'price_id',
      'quantity',
      'stripe_summary',
      'quantity_difference',
      'amount',
      'currency',
    ],
    rows: accounts.flatMap((account) =>
      account.meters.map(({ meter, priceId, quantity, summary, amountMinor }) => [
        text(account.account),
        text(account.plan),
        text(account.state),
        text(meter),
        text(priceId),
        whole(quantity),
        whole(summary),
        whole(summary === null ? null : BigInt(quantity) - BigInt(summary)),
        money(amountMinor, account.currency),
        text(account.currency),
      ]),
    ),
  };
}

export function breaksTable({ period, breaks }: Pick<Report, 'period' | 'breaks'>): Table {
  return {
    name: 'breaks',
    columns: [
      'period',
      'code',
      'stage',
      'account',
      'meter',
      'amount',
      'currency',
      'expected',
      'actual',
      'hours',
      'status',
      'broke_at',
      'age_days',
      'resolution',
      'evidence',
    ],
    rows: breaks.map((found) => [
      text(period),
      text(found.code),
      text(found.stage),
      text(found.account),
      text(found.meter ?? ''),
      money(found.amountMinor, found.currency),
      text(found.currency),
      text(found.expected),
      text(found.actual),
      text(found.hours.join(' ')),
      text(found.status),
      text(found.brokeAt),
      whole(found.ageDays),
      text(found.resolution),
      text(found.evidence.join(' ')),
    ]),
  };
}

/** One row per break, the oldest first, with who has its case and until when. */
function ageingTable(report: Report, beside: ReportBeside): Table {
  return {
    name: 'ageing',
    columns: [
      'period',
      'case',
      'code',
      'stage',
      'account',
      'meter',
      'amount',
      'currency',
      'broke_at',
      'age_days',
      'age_bucket',
      'status',
      'severity',
      'owner',
      'due_at',
    ],
    rows: toAgedBreaks(report, beside).map((found) => [
      text(report.period),
      text(found.case?.caseId ?? null),
      text(found.code),
      text(found.stage),
      text(found.account),
      text(found.meter ?? ''),
      money(found.amountMinor, found.currency),
      text(found.currency),
      text(found.brokeAt),
      whole(found.ageDays),
      text(found.ageBucket),
      text(found.case?.state ?? found.status),
      text(found.case?.severity ?? null),
      text(found.case?.owner ?? null),
      text(found.case === null ? null : toIso(found.case.dueAtMs)),
    ]),
  };
}

/** Breaks by code and age. Net hides what offsets; gross does not. */
function classesTable({ classes, breaks }: Report): Table {
  return {
    name: 'classes',
    columns: [
      'code',
      'stage',
      'currency',
      'count',
      'open',
      'net',
      'gross',
      ...AGE_BUCKETS.map((bucket) => `days_${bucket.replace('>', 'over_').replace('-', '_to_')}`),
    ],
    rows: classes.map((found) => {
      const own = breaks.filter(({ code, currency }) => code === found.code && currency === found.currency);
      const gross = own.reduce((sum, { amountMinor }) => sum + magnitude(BigInt(amountMinor)), 0n);
      return [
        text(found.code),
        text(found.stage),
        text(found.currency),
        whole(found.count),
        whole(found.open),
        money(found.amountMinor, found.currency),
        money(gross, found.currency),
        ...AGE_BUCKETS.map((bucket) => whole(found.ages[bucket])),
      ];
    }),
  };
}

function invoicesTable({ accounts, invoices }: Report): Table {
  const byAccount = new Map(accounts.map((account) => [account.account, account]));
  return {
    name: 'invoices',
    columns: ['account', 'invoice', 'number', 'status', 'currency', 'rated', 'invoiced', 'explained', 'unexplained'],
    rows: invoices.map((invoice) => {
      const account = byAccount.get(invoice.account);
      return [
        text(invoice.account),
        text(invoice.id),
        text(invoice.number),
        text(invoice.status),
        text(invoice.currency),
        money(account?.totalMinor ?? null, invoice.currency),
        money(invoice.totalMinor, invoice.currency),
        money(account?.explainedMinor ?? null, invoice.currency),
        money(account?.unexplainedMinor ?? null, invoice.currency),
      ];
    }),
  };
}

function evidenceTable({ breaks, evidence }: Report): Table {
  const of = new Map<string, string[]>();
  for (const found of breaks) {
    const name = [found.code, found.account, found.meter ?? ''].join(' ').trim();
    for (const hash of found.evidence) of.set(hash, [...(of.get(hash) ?? []), name]);
  }
  return {
    name: 'evidence',
    columns: ['sha256', 'breaks'],
    rows: evidence.hashes.map((hash) => [text(hash), text((of.get(hash) ?? []).join('; '))]),
  };
}
