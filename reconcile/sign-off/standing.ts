// What a signature is compared with: the newest run of a period, its report hashed again, its evidence checked against its
// names, and the cases. Reads only.

import { sql } from 'kysely';
import { computeCasesHash, fetchCases } from '../cases/book.ts';
import { isSettled } from '../cases/states.ts';
import { computeEvidenceHash, computeReportHash } from '../report/hashes.ts';
import type { Report } from '../report/types.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchStoredReport } from '../store/reports.ts';
import { fetchNewestRun } from '../store/revisions.ts';
import type { Standing } from './decide.ts';

export async function fetchStanding(db: ReconcileDb, period: string): Promise<Standing> {
  const run = (await fetchNewestRun(db, period)) ?? null;
  const report = run === null ? undefined : await fetchStoredReport(db, run);
  const cases = await fetchCases(db, { period });
  return {
    period,
    run,
    report: run === null || report === undefined ? null : await checkReport(db, run, report),
    casesHash: computeCasesHash(cases),
    unsettledCases: cases.filter(({ state }) => !isSettled(state)).map(({ caseId }) => caseId),
  };
}

async function checkReport(db: ReconcileDb, run: string, report: Report): Promise<NonNullable<Standing['report']>> {
  const stored = await db
    .selectFrom('reconcile_runs')
    .select(['report_hash', 'evidence_hash'])
    .where('run', '=', run)
    .executeTakeFirstOrThrow();
  const reportHash = computeReportHash({ ...report, priceBookHash: report.evidence.priceBookHash });
  return {
    storedReportHash: stored.report_hash ?? '',
    storedEvidenceHash: stored.evidence_hash ?? '',
    reportHash,
    evidenceHash: computeEvidenceHash(reportHash, report.evidence),
    unexplained: report.verdict.unexplained,
    brokenEvidence: await fetchBrokenEvidence(db, report.evidence.hashes),
  };
}

/** Of these, what is not stored or has a body of another hash. */
async function fetchBrokenEvidence(db: ReconcileDb, hashes: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ hash: string }>`
    SELECT named.hash FROM unnest(${[...hashes]}::text[]) AS named (hash)
    LEFT JOIN evidence USING (hash)
    WHERE body IS NULL OR encode(sha256(convert_to(body, 'UTF8')), 'hex') <> named.hash
    ORDER BY 1`.execute(db);
  return rows.map(({ hash }) => hash);
}
