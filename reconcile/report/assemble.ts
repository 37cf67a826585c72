// The report of a run, assembled from what the run stored. Pure: the same stored run gives the same report, and however
// often or disturbed the run was, the same business content gives the same reportHash (promise I9).

import type { IngestCounts, NamespaceTotal } from '../../aggregate/usage.ts';
import { BREAK_CODES, BREAK_RULES } from '../../domain/contracts/break-codes.ts';
import { invariant } from '../../domain/contracts/errors.ts';
import { metersOf } from '../../domain/meter.ts';
import { toIso, type Period } from '../../domain/period.ts';
import { priceBookHash } from '../../domain/price-book.ts';
import { sumLines } from '../../domain/rating.ts';
import type { Break } from '../compare/break.ts';
import type { Run, RunAccount } from '../store/runs.ts';
import type { StoredLine } from '../store/rated.ts';
import { AGE_BUCKETS, computeAgeDays, toAgeBucket, type AgeBucket } from './ageing.ts';
import {
  computeCashBridges,
  computeEventBridge,
  computeExplained,
  computeMoneyBridges,
  computeQuantityBridges,
  computeUnexplained,
  isUnexplained,
  ratedTotal,
} from './bridge.ts';
import { computeEvidenceHash, computeReportHash } from './hashes.ts';
import type { AccountRow, BreakClass, InvoiceRow, Report, ReportBreak } from './types.ts';

export type StoredRun = {
  readonly run: Run;
  readonly accounts: readonly RunAccount[];
  readonly lines: readonly StoredLine[];
  readonly breaks: readonly Break[];
};

export type ReportInput = StoredRun & {
  readonly period: Period;
  readonly totals: readonly NamespaceTotal[];
  readonly ingest: IngestCounts;
  /** Business time. */
  readonly reportedAtMs: number;
  /** What the sources' manifests say was sent, if they were collected. */
  readonly emitted?: bigint;
};

const TOP_ACCOUNTS = 10;

export function assembleReport(input: ReportInput): Report {
  const { run, period } = input;
  invariant(
    run.digest !== null && run.closedEvents !== null,
    'I4',
    `period ${period.key} is reported before it is closed`,
  );
  invariant(run.barrier !== null && run.lateBarrier !== null, 'I4', `run ${run.run} is reported without its barriers`);
  const breaks = input.breaks.map((found) => toReportBreak(found, input.reportedAtMs));
  const accounts = toAccountRows(input);
  const quantities = computeQuantityBridges(input);
  const events = computeEventBridge(
    { ingest: input.ingest, counted: run.closedEvents, emitted: input.emitted ?? null },
    input.breaks,
  );
  const evidence = {
    priceBookHash: run.pins?.priceBookHash ?? priceBookHash(),
    digest: run.digest,
    barrier: run.barrier,
    lateBarrier: run.lateBarrier,
    codeVersion: run.codeVersion,
    hashes: toEvidenceHashes(input),
  };
  const reportHash = computeReportHash({
    period: period.key,
    priceBookHash: evidence.priceBookHash,
    quantities,
    accounts,
    breaks,
  });
  const residuals = [events.unexplained, ...quantities.map(({ unexplained }) => unexplained)];
  const leftOver =
    residuals.filter((residual) => residual !== '0').length +
    input.accounts.filter((account) => isUnexplained(account, input.breaks)).length;
  return {
    schema: 'trueup.report.v1',
    run: run.run,
    period: period.key,
    periodStart: toIso(period.startAtMs),
    periodEnd: toIso(period.endAtMs),
    reportedAt: toIso(input.reportedAtMs),
    verdict: computeVerdict(input, leftOver),
    events,
    quantities,
    money: computeMoneyBridges(input.accounts, input.breaks),
    cash: computeCashBridges(input.accounts, input.breaks),
    classes: computeClasses(breaks),
    breaks,
    topAccounts: computeTop(input.accounts),
    accounts,
    invoices: input.accounts.flatMap(toInvoiceRows),
    evidence,
    reportHash,
    evidenceHash: computeEvidenceHash(reportHash, evidence),
  };
}

function computeVerdict({ accounts, breaks }: ReportInput, unexplained: number): Report['verdict'] {
  const inState = (state: RunAccount['state']) => accounts.filter((account) => account.state === state).length;
  const openBreaks = breaks.filter(({ status }) => status === 'open').length;
  const billed = inState('billed');
  const clean = openBreaks === 0 && unexplained === 0 && billed === accounts.length;
  return {
    result: clean ? 'clean' : 'breaks',
    accounts: accounts.length,
    billed,
    held: inState('held'),
    missing: inState('missing'),
    failed: inState('failed'),
    openBreaks,
    autoAccepted: breaks.length - openBreaks,
    unexplained,
  };
}

function toReportBreak(found: Break, nowMs: number): ReportBreak {
  const { brokeAtMs, amountMinor, hours, ...rest } = found;
  const ageDays = computeAgeDays(brokeAtMs, nowMs);
  return {
    ...rest,
    amountMinor: amountMinor.toString(),
    hours: hours.map(toIso),
    brokeAt: toIso(brokeAtMs),
    ageDays,
    ageBucket: toAgeBucket(ageDays),
  };
}

function computeClasses(breaks: readonly ReportBreak[]): BreakClass[] {
  const groups = Map.groupBy(breaks, ({ code, currency }) => `${code} ${currency}`);
  const rankOf = ([first]: readonly ReportBreak[]) => BREAK_CODES.findIndex((code) => code === first?.code);
  return [...groups.values()]
    .sort((a, b) => rankOf(a) - rankOf(b) || ((a[0]?.currency ?? '') < (b[0]?.currency ?? '') ? -1 : 1))
    .flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const inBucket = (bucket: AgeBucket) => group.filter(({ ageBucket }) => ageBucket === bucket).length;
      return [
        {
          code: first.code,
          stage: first.stage,
          rule: BREAK_RULES[first.code].rule,
          resolution: first.resolution,
          currency: first.currency,
          count: group.length,
          open: group.filter(({ status }) => status === 'open').length,
          amountMinor: group.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n).toString(),
          ages: Object.fromEntries(AGE_BUCKETS.map((bucket) => [bucket, inBucket(bucket)])) as Record<
            AgeBucket,
            number
          >,
        },
      ];
    });
}

function toAccountRows({ accounts, lines, breaks }: ReportInput): AccountRow[] {
  const byAccount = Map.groupBy(lines, (line) => line.account);
  const meters = metersOf(lines);
  return accounts.map((account) => {
    const own = byAccount.get(account.account) ?? [];
    return {
      account: account.account,
      plan: account.planId,
      currency: account.currency,
      state: account.state,
      reasons: account.reasons,
      meters: meters.flatMap((meter) => {
        const group = own.filter((line) => line.meter === meter);
        if (group.length === 0) return [];
        return [
          {
            meter,
            priceId: [...new Set(group.map((line) => line.priceId))].join(' '),
            quantity: group.reduce((sum, { quantity }) => sum + quantity, 0n).toString(),
            amountMinor: sumLines(group).toString(),
            summary: account.summaries[meter]?.toString() ?? null,
          },
        ];
      }),
      usageMinor: account.rated?.usageMinor.toString() ?? null,
      feeMinor: account.rated?.feeMinor.toString() ?? null,
      totalMinor: account.rated === null ? null : ratedTotal(account).toString(),
      invoicedMinor: account.invoice?.totalMinor.toString() ?? null,
      explainedMinor: computeExplained(account, breaks).toString(),
      unexplainedMinor: computeUnexplained(account, breaks).toString(),
    };
  });
}

function computeTop(accounts: readonly RunAccount[]): Report['topAccounts'] {
  return [...accounts]
    .filter(({ rated }) => rated !== null)
    .sort((a, b) => (ratedTotal(b) > ratedTotal(a) ? 1 : ratedTotal(b) < ratedTotal(a) ? -1 : 0))
    .slice(0, TOP_ACCOUNTS)
    .map((account) => ({
      account: account.account,
      currency: account.currency,
      totalMinor: ratedTotal(account).toString(),
    }));
}

function toInvoiceRows(account: RunAccount): InvoiceRow[] {
  return account.invoices.map(({ id, draft }) => ({
    account: account.account,
    id,
    number: account.invoice?.number ?? null,
    status: draft ? 'draft' : (account.invoice?.status ?? 'unknown'),
    currency: account.currency,
    totalMinor: draft ? null : (account.invoice?.totalMinor.toString() ?? null),
    linesMinor: draft ? null : (account.invoice?.linesMinor.toString() ?? null),
  }));
}

function toEvidenceHashes({ run, accounts, breaks }: ReportInput): string[] {
  const named = [...accounts, ...breaks].flatMap(({ evidence }) => evidence);
  return [...new Set([...named, ...run.periodEvidence])].sort();
}
