// Activities over the period as a whole: open the run, claim drafts, take barriers, close, look for late usage, report.

import { WAITS } from '../../domain/contracts/waits.ts';
import { TrueupError, invariant } from '../../domain/contracts/errors.ts';
import { toIso } from '../../domain/period.ts';
import type { Activities, CloseResult, OpenedRun, RunInput } from '../activity-types.ts';
import { toBreak } from '../compare/break.ts';
import { compareLate, compareUnattributed, sumByAccount } from '../compare/late.ts';
import { assembleReport } from '../report/assemble.ts';
import { replacePeriodBreaks } from '../store/breaks.ts';
import { fetchStoredRun, recordReport } from '../store/reports.ts';
import {
  fetchRun,
  fetchRunAccounts,
  insertEvidence,
  insertRun,
  recordBarrier,
  recordClosed,
  recordLateBarrier,
  updateRunAccount,
} from '../store/runs.ts';
import { periodOfRun, asOfPeriod, toSubscriptionRef, type Deps } from './deps.ts';
import { forEachAtOnce } from './at-once.ts';

/** Accounts per child workflow: small enough for a child's history, large enough that children are few. */
const BATCH_SIZE = 5;
const CLAIMS_AT_ONCE = 6;

type PeriodActivities = Pick<
  Activities,
  | 'readClock'
  | 'openRun'
  | 'claimDrafts'
  | 'takeBarrier'
  | 'checkRolledUp'
  | 'closePeriod'
  | 'takeLateBarrier'
  | 'comparePeriod'
  | 'writeReport'
>;

export function createPeriodActivities(deps: Deps): PeriodActivities {
  return {
    readClock: async () => deps.clock.now(),
    openRun: async (input) => openRun(deps, input),
    claimDrafts: async (input) => claimDrafts(deps, input),
    takeBarrier: async (input) => {
      const barrier = await deps.usage.takeBarrier(periodOfRun(input), await deps.clock.now());
      await recordBarrier(deps.db, input.run, barrier);
    },
    checkRolledUp: async ({ run, upTo }) => {
      const stored = await fetchRun(deps.db, run);
      await deps.usage.checkRolledUp(toBarrier(upTo === 'barrier' ? stored.barrier : stored.lateBarrier, upTo));
    },
    closePeriod: async (input) => {
      const closed = await deps.usage.closePeriod(periodOfRun(input), await deps.clock.now());
      await recordClosed(deps.db, input.run, closed);
    },
    takeLateBarrier: async ({ run }) => {
      await recordLateBarrier(deps.db, run, await deps.usage.fetchEndOffsets());
    },
    comparePeriod: async (input) => comparePeriod(deps, input),
    writeReport: async (input) => writeReport(deps, input),
  };
}

async function openRun(deps: Deps, input: RunInput): Promise<OpenedRun> {
  const period = periodOfRun(input);
  const nowMs = await deps.clock.now();
  if (nowMs < period.endAtMs) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'PERIOD_NOT_ENDED',
      message: `${period.key} is under way at ${toIso(nowMs)}`,
      next: `close it from ${toIso(period.endAtMs)} on`,
    });
  }
  const accounts = await deps.accounts.fetchAccounts(asOfPeriod(period));
  const members = accounts.map((account, index) => ({
    account: account.id,
    batch: Math.floor(index / BATCH_SIZE),
    currency: account.currency,
    planId: account.terms.planId,
  }));
  const batches = Math.ceil(members.length / BATCH_SIZE);
  const { run } = input;
  await insertRun(deps.db, {
    run,
    period: period.key,
    openedAtMs: nowMs,
    batches,
    codeVersion: deps.codeVersion,
    members,
  });
  return {
    batches: (await fetchRun(deps.db, run)).batches,
    accounts: members.length,
    simulated: deps.clock.simulated,
    claimUntilMs: period.endAtMs + WAITS.draftClaimWithinMs,
    graceEndsAtMs: period.endAtMs + WAITS.graceMs,
    lateEndsAtMs: period.endAtMs + WAITS.graceMs + WAITS.lateCollectionMs,
  };
}

async function claimDrafts(deps: Deps, input: RunInput): Promise<number> {
  const period = periodOfRun(input);
  const accounts = new Map((await deps.accounts.fetchAccounts(asOfPeriod(period))).map((found) => [found.id, found]));
  const waiting = (await fetchRunAccounts(deps.db, input.run)).filter(({ invoices }) => invoices.length === 0);
  let unclaimed = 0;
  await forEachAtOnce(CLAIMS_AT_ONCE, waiting, async ({ account }) => {
    const registered = accounts.get(account);
    invariant(registered !== undefined, 'I6', `account ${account} of the run is not registered`);
    try {
      const invoices = await deps.billing.claimCycleInvoices(toSubscriptionRef(registered), period);
      if (invoices.length === 0) unclaimed += 1;
      else await updateRunAccount(deps.db, { run: input.run, account }, { invoices: JSON.stringify(invoices) });
    } catch (error) {
      // An account that can't be claimed is that account's finding: its billing step meets the same error and records it.
      if (!(error instanceof TrueupError) || error.kind !== 'rejected') throw error;
      deps.log.warn({ run: input.run, account, code: error.code }, 'draft not claimed');
    }
  });
  return unclaimed;
}

function toBarrier(stored: readonly string[] | null, which: string): bigint[] {
  invariant(stored !== null, 'I4', `the run has no ${which} yet`);
  return stored.map(BigInt);
}

/** Late and unattributed usage: what no invoice of this period can hold. */
async function comparePeriod(deps: Deps, input: RunInput): Promise<void> {
  const period = periodOfRun(input);
  const run = await fetchRun(deps.db, input.run);
  const totals = await deps.usage.fetchClosedTotals(period);
  const lateBarrier = toBarrier(run.lateBarrier, 'late barrier');
  await deps.usage.recordAdjustments(period, lateBarrier);
  const late = await deps.usage.fetchLateTotals(period, lateBarrier);
  const accounts = await deps.accounts.fetchAccounts(asOfPeriod(period));
  const registered = new Set(accounts.map(({ id }) => id));
  const findings = [
    ...compareLate(accounts, sumByAccount(totals), late),
    ...compareUnattributed(registered, totals, late),
  ];
  const breaks = [];
  for (const finding of findings) {
    const of = (row: { account: string; meter: string }) =>
      row.account === finding.account && row.meter === finding.meter;
    const hash = await insertEvidence(deps.db, 'period-usage', {
      period: period.key,
      account: finding.account,
      meter: finding.meter,
      closed: totals.filter(of).map(({ namespace, quantity }) => ({ namespace, quantity: quantity.toString() })),
      late: late.filter(of).map(({ namespace, closed, withLate }) => ({
        namespace,
        closed: closed.toString(),
        withLate: withLate.toString(),
      })),
    });
    breaks.push(toBreak(finding, period.endAtMs + WAITS.graceMs, [hash]));
  }
  await replacePeriodBreaks(deps.db, input.run, breaks);
}

async function writeReport(deps: Deps, input: RunInput): Promise<CloseResult> {
  const period = periodOfRun(input);
  const run = await fetchRun(deps.db, input.run);
  const stored = await fetchStoredRun(deps.db, input.run);
  const emitted = await deps.usage.fetchManifestEvents();
  const report = assembleReport({
    ...stored,
    ...(emitted === null ? {} : { emitted }),
    period,
    totals: await deps.usage.fetchClosedTotals(period),
    ingest: await deps.usage.fetchIngestCounts(toBarrier(run.lateBarrier, 'late barrier')),
    reportedAtMs: await deps.clock.now(),
  });
  await recordReport(deps.db, report);
  deps.log.info({ run: input.run, verdict: report.verdict.result, reportHash: report.reportHash }, 'report written');
  return { run: input.run, reportHash: report.reportHash, verdict: report.verdict.result };
}
