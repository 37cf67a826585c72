// The runs of a period in order: run 1 is the close, each later one supersedes the one before and edits nothing of it.

import { TrueupError } from '../../domain/contracts/errors.ts';
import type { ReconcileDb } from './db.ts';

export type RunSummary = {
  readonly run: string;
  readonly period: string;
  readonly revision: number;
  readonly supersedes: string | null;
  /** Why there is another run; null for the close. */
  readonly why: string | null;
  readonly openedAtMs: number;
  readonly codeVersion: string;
  /** Null while it is under way. */
  readonly reportHash: string | null;
  readonly evidenceHash: string | null;
};

/** By period and revision, ascending. */
export async function fetchRunSummaries(db: ReconcileDb, period?: string): Promise<RunSummary[]> {
  const rows = await db
    .selectFrom('reconcile_runs')
    .select([
      'run',
      'period',
      'revision',
      'supersedes',
      'why',
      'opened_at',
      'code_version',
      'report_hash',
      'evidence_hash',
    ])
    .$if(period !== undefined, (query) => query.where('period', '=', period ?? ''))
    .orderBy('period')
    .orderBy('revision')
    .execute();
  return rows.map((row) => ({
    run: row.run,
    period: row.period,
    revision: row.revision,
    supersedes: row.supersedes,
    why: row.why,
    openedAtMs: row.opened_at.getTime(),
    codeVersion: row.code_version,
    reportHash: row.report_hash,
    evidenceHash: row.evidence_hash,
  }));
}

/** The run that stands: the one nothing supersedes. Undefined before the first. */
export async function fetchNewestRun(db: ReconcileDb, period: string): Promise<string | undefined> {
  return (await fetchRunSummaries(db, period)).at(-1)?.run;
}

/** Throws `rejected` RUN_UNKNOWN. */
export async function fetchRunSummary(db: ReconcileDb, run: string): Promise<RunSummary> {
  const found = (await fetchRunSummaries(db)).find((one) => one.run === run);
  if (found !== undefined) return found;
  const next = 'see trueup runs list';
  throw new TrueupError({ kind: 'rejected', code: 'RUN_UNKNOWN', message: `there is no run ${run}`, next });
}
