// Stored runs as the report needs them, and the report itself: written once per run, replaced by a repeat.

import type { Report } from '../report/types.ts';
import type { StoredRun } from '../report/assemble.ts';
import { fetchBreaks } from './breaks.ts';
import type { ReconcileDb } from './db.ts';
import { fetchRun, fetchRunAccounts } from './runs.ts';
import { fetchRatedLines } from './rated.ts';

export async function fetchStoredRun(db: ReconcileDb, run: string): Promise<StoredRun> {
  const [stored, accounts, lines, breaks] = await Promise.all([
    fetchRun(db, run),
    fetchRunAccounts(db, run),
    fetchRatedLines(db, run),
    fetchBreaks(db, run),
  ]);
  return { run: stored, accounts, lines, breaks };
}

export async function recordReport(db: ReconcileDb, report: Report): Promise<void> {
  await db
    .updateTable('reconcile_runs')
    .set({ report: JSON.stringify(report), report_hash: report.reportHash, evidence_hash: report.evidenceHash })
    .where('run', '=', report.run)
    .execute();
}

/** The report of a period's run, or undefined while there is none. */
export async function fetchStoredReport(db: ReconcileDb, run: string): Promise<Report | undefined> {
  const row = await db.selectFrom('reconcile_runs').select('report').where('run', '=', run).executeTakeFirst();
  return row?.report === undefined || row.report === null ? undefined : (JSON.parse(row.report) as Report);
}

/** The reports of up to `count` periods before this one, of each the latest. */
export async function fetchEarlierReports(db: ReconcileDb, period: string, count: number): Promise<Report[]> {
  const rows = await db
    .selectFrom('reconcile_runs')
    .select('report')
    .distinctOn('period')
    .where('period', '<', period)
    .where('report', 'is not', null)
    .orderBy('period', 'desc')
    .orderBy('opened_at', 'desc')
    .limit(count)
    .execute();
  return rows.flatMap(({ report }) => (report === null ? [] : [JSON.parse(report) as Report]));
}
