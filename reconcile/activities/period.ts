// Activities over the period as a whole: open the run, claim drafts, take barriers, close, look for late usage, report.

import { WAITS } from '../../domain/contracts/waits.ts';
import { TrueupError, invariant } from '../../domain/contracts/errors.ts';
import { periodOf, previousPeriod, toIso } from '../../domain/period.ts';
import type { Activities, CloseResult, OpenedRun, RunInput } from '../activity-types.ts';
import { carryCasesForward } from '../cases/carry-forward.ts';
import { toBreak } from '../compare/break.ts';
import { assembleReport } from '../report/assemble.ts';
import { fetchSettled } from '../repairs/explained.ts';
import { fetchPeriodSides } from '../runs/period-evidence.ts';
import { comparePeriodSides, toPeriodRecord } from '../runs/period-sides.ts';
import { computePins } from '../runs/pins.ts';
import { replacePeriodBreaks } from '../store/breaks.ts';
import { fetchStoredRun, recordReport } from '../store/reports.ts';
import { fetchRunSummaries } from '../store/revisions.ts';
import {
  fetchRun,
  fetchRunAccounts,
  insertEvidence,
  insertRun,
  recordBarrier,
  recordClosed,
  recordLateBarrier,
  recordPeriodEvidence,
  updateRunAccount,
} from '../store/runs.ts';
import { periodOfRun, asOfPeriod, toSubscriptionRef, type Deps } from './deps.ts';
import { forEachAtOnce } from './at-once.ts';

/** Child workflows of a close: more would fill its history. Small batches show progress and repeat little after a death. */
const BATCHES_MAX = 40;
const BATCH_SIZE_MIN = 5;
const CLAIMS_AT_ONCE = 6;

type PeriodActivities = Pick<
  Activities,
  | 'readClock'
  | 'findEndedPeriod'
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
    findEndedPeriod: async () => findEndedPeriod(deps),
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

/** By what is stored: Temporal forgets workflows that ended, and a clock that is behind finds a month long closed. */
async function findEndedPeriod({ clock, db }: Deps): Promise<string | null> {
  const { key } = previousPeriod(periodOf(await clock.now()));
  return (await fetchRunSummaries(db, key)).length === 0 ? key : null;
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
  const batchSize = Math.max(BATCH_SIZE_MIN, Math.ceil(accounts.length / BATCHES_MAX));
  const members = accounts.map((account, index) => ({
    account: account.id,
    batch: Math.floor(index / batchSize),
    currency: account.currency,
    planId: account.terms.planId,
  }));
  const batches = Math.ceil(members.length / batchSize);
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
    batchSize,
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

/** What no invoice of this period can hold, and what it means for the cases. All that is read is stored as evidence first. */
async function comparePeriod(deps: Deps, input: RunInput): Promise<void> {
  const period = periodOfRun(input);
  const run = await fetchRun(deps.db, input.run);
  const lateBarrier = toBarrier(run.lateBarrier, 'late barrier');
  await deps.usage.recordAdjustments(period, lateBarrier);
  const registered = await deps.accounts.fetchAccounts(asOfPeriod(period));
  const sides = {
    totals: await deps.usage.fetchClosedTotals(period),
    late: await deps.usage.fetchLateTotals(period, lateBarrier),
    ingest: await deps.usage.fetchIngestCounts(lateBarrier),
    emitted: await deps.usage.fetchManifestEvents(),
    announced: await deps.usage.fetchShortSources(period),
    miscounts: await deps.usage.fetchMiscounts(period, lateBarrier),
    accounts: registered.map(({ id, currency, terms }) => ({ id, currency, terms })),
    settled: await fetchSettled(deps.db, period),
  };
  const evidence = [await insertEvidence(deps.db, 'period-sides', toPeriodRecord(sides))];
  await recordPeriodEvidence(deps.db, input.run, { evidence, pins: computePins() });
  const brokeAtMs = period.endAtMs + WAITS.graceMs;
  const breaks = comparePeriodSides(sides).map((finding) => toBreak(finding, brokeAtMs, evidence));
  await replacePeriodBreaks(deps.db, input.run, breaks);
  await carryCasesForward(deps.db, input.run, await deps.clock.now());
}

async function writeReport(deps: Deps, input: RunInput): Promise<CloseResult> {
  const period = periodOfRun(input);
  const stored = await fetchStoredRun(deps.db, input.run);
  const { totals, ingest, emitted } = await fetchPeriodSides(deps.db, stored.run);
  const report = assembleReport({
    ...stored,
    ...(emitted === null ? {} : { emitted }),
    period,
    totals,
    ingest,
    reportedAtMs: await deps.clock.now(),
  });
  await recordReport(deps.db, report);
  deps.log.info({ run: input.run, verdict: report.verdict.result, reportHash: report.reportHash }, 'report written');
  return { run: input.run, reportHash: report.reportHash, verdict: report.verdict.result };
}
