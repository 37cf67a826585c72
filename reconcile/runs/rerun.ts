// Runs again. Offline: computed from stored evidence and compared with what was reported; reads Postgres alone and writes
// nothing, so it works for a locked period and long after Stripe has forgotten. Online: a new revision is asked for here
// and carried out by the workers; asking twice asks for one.

import { sql } from 'kysely';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { decidePermission, type Actor } from '../../domain/contracts/permissions.ts';
import { appendAudit, inAuditedTransaction } from '../audit-log/log.ts';
import type { Report } from '../report/types.ts';
import { checkUnlocked } from '../sign-off/book.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchEvidence } from '../store/evidence.ts';
import { fetchStoredReport, fetchStoredRun } from '../store/reports.ts';
import { fetchNewestRun, fetchRunSummaries, fetchRunSummary } from '../store/revisions.ts';
import { diffReports, type RunDiff } from './diff.ts';
import { recomputeReport } from './recompute.ts';

export type OfflineRerun = {
  readonly run: string;
  readonly reportHash: string;
  readonly evidenceHash: string;
  /** Both hashes come out as they were reported. */
  readonly equal: boolean;
  /** From what was reported to what was computed. */
  readonly diff: RunDiff;
};

/** Throws `rejected` RUN_UNKNOWN for a run without a report, `bug` for evidence that is gone or altered. */
export async function rerunOffline(db: ReconcileDb, run: string): Promise<OfflineRerun> {
  const reported = await fetchReportOfRun(db, run);
  const stored = await fetchStoredRun(db, run);
  const named = [...stored.accounts.flatMap(({ evidence }) => evidence), ...stored.run.periodEvidence];
  const evidence = await fetchEvidence(db, [...new Set(named)]);
  const computed = recomputeReport(stored, evidence, Date.parse(reported.reportedAt));
  const { reportHash, evidenceHash } = computed;
  const equal = reportHash === reported.reportHash && evidenceHash === reported.evidenceHash;
  return { run, reportHash, evidenceHash, equal, diff: diffReports(reported, computed) };
}

export async function diffRuns(db: ReconcileDb, from: string, to: string): Promise<RunDiff> {
  return diffReports(await fetchReportOfRun(db, from), await fetchReportOfRun(db, to));
}

async function fetchReportOfRun(db: ReconcileDb, run: string): Promise<Report> {
  await fetchRunSummary(db, run);
  const report = await fetchStoredReport(db, run);
  if (report !== undefined) return report;
  throw new TrueupError({ kind: 'rejected', code: 'RUN_UNKNOWN', message: `run ${run} has no report yet` });
}

export type RevisionRequest = {
  readonly period: string;
  readonly why: string;
  readonly codeVersion: string;
  readonly atMs: number;
};

/**
 * Opens the next revision of a reported period and returns its run, to be started as a workflow of that id. One that was
 * opened and has no report yet is returned again. Throws `rejected` NOT_PERMITTED, PERIOD_LOCKED or RUN_UNKNOWN.
 */
export async function openRevision(db: ReconcileDb, actor: Actor, request: RevisionRequest): Promise<string> {
  const { period, why, codeVersion, atMs } = request;
  const permitted = decidePermission(actor, 'run.rerun');
  if (!permitted.granted) throw new TrueupError({ kind: 'rejected', code: 'NOT_PERMITTED', message: permitted.why });
  return inAuditedTransaction(db, async (tx) => {
    await checkUnlocked(tx, period);
    const newest = (await fetchRunSummaries(tx, period)).at(-1);
    if (newest === undefined || (newest.revision === 1 && newest.reportHash === null)) {
      const next = 'wait for the close';
      throw new TrueupError({ kind: 'rejected', code: 'RUN_UNKNOWN', message: `${period} has no report yet`, next });
    }
    if (newest.reportHash === null) return newest.run;
    const revision = newest.revision + 1;
    const run = `close-${period}-r${revision}`;
    // The closed usage never moves: its barrier and digest are those of the run before.
    await sql`
      INSERT INTO reconcile_runs
        (run, period, opened_at, batches, code_version, revision, supersedes, why, barrier, digest, closed_events)
      SELECT ${run}, period, ${new Date(atMs)}, 0, ${codeVersion}, ${revision}, run, ${why}, barrier, digest, closed_events
      FROM reconcile_runs WHERE run = ${newest.run}`.execute(tx);
    const details = { revision, supersedes: newest.run, why, codeVersion };
    await appendAudit(tx, [{ atMs, actor: actor.id, action: 'run.opened', subject: run, details }]);
    return run;
  });
}

/** The run of a period that stands: its newest. Throws `rejected` RUN_UNKNOWN. */
export async function fetchStandingRun(db: ReconcileDb, period: string): Promise<string> {
  const run = await fetchNewestRun(db, period);
  if (run !== undefined) return run;
  const next = `close it with trueup period close ${period}`;
  throw new TrueupError({ kind: 'rejected', code: 'RUN_UNKNOWN', message: `${period} has no run`, next });
}
