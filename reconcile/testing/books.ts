// For integration tests of what people do about a run: an own database with people in it, and runs whose report and
// evidence are stored as the close stores them.

import { sql, type Kysely } from 'kysely';
import { setRoles, type PeopleTables } from '../../accounts/people.ts';
import type { Actor, Role } from '../../domain/contracts/permissions.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { createFreshDatabases } from '../../platform/testing/fresh-databases.ts';
import { toBreak, type Finding } from '../compare/break.ts';
import { computeEvidenceHash, computeReportHash } from '../report/hashes.ts';
import type { Report, ReportBreak } from '../report/types.ts';
import { replacePeriodBreaks } from '../store/breaks.ts';
import { recordReport } from '../store/reports.ts';
import { insertEvidence, insertRun } from '../store/runs.ts';
import type { ReconcileTables } from '../store/tables.ts';

export type BooksTables = ReconcileTables & PeopleTables;

export type Books = {
  readonly db: Kysely<BooksTables>;
  readonly postgresUrl: string;
  /** Business time of everything in the test. */
  readonly nowMs: number;
  person(id: string, ...roles: Role[]): Promise<Actor>;
  /** A run with these findings and its report. Given again, it supersedes the one before. */
  run(findings: readonly Partial<Finding>[], period?: string): Promise<string>;
  end(): Promise<void>;
};

const NOW_MS = Date.UTC(2026, 10, 5, 9);

export async function createBooks(): Promise<Books> {
  const databases = await createFreshDatabases('books');
  const db = createPostgres<BooksTables>(databases.postgresUrl);
  const revisions = new Map<string, number>();
  return {
    db,
    postgresUrl: databases.postgresUrl,
    nowMs: NOW_MS,
    person: async (id, ...roles) => {
      await setRoles(db, { id, roles, atMs: NOW_MS });
      return { id, roles };
    },
    run: async (findings, period = '2026-10') => {
      const revision = (revisions.get(period) ?? 0) + 1;
      const run = revision === 1 ? `close-${period}` : `close-${period}-r${revision}`;
      await storeRun(db, { run, period, revision }, findings);
      revisions.set(period, revision);
      return run;
    },
    end: async () => {
      await db.destroy();
      await databases.close();
    },
  };
}

export function finding(over: Partial<Finding> = {}): Finding {
  return {
    code: 'USAGE_LATE',
    account: 'acme',
    meter: 'actions',
    amountMinor: 500n,
    currency: 'usd',
    hours: [],
    expected: '2',
    actual: '1',
    ...over,
  };
}

async function storeRun(
  db: Kysely<ReconcileTables>,
  { run, period, revision }: { run: string; period: string; revision: number },
  findings: readonly Partial<Finding>[],
): Promise<void> {
  const before = revision === 2 ? `close-${period}` : `close-${period}-r${revision - 1}`;
  await insertRun(db, {
    run,
    period,
    openedAtMs: NOW_MS,
    batches: 0,
    codeVersion: 'test',
    members: [],
    ...(revision === 1 ? {} : { supersedes: { run: before, revision: revision - 1, why: 'again' } }),
  });
  const evidence = await insertEvidence(db, 'stripe-summary', { period, run });
  const breaks = findings.map((over) => toBreak(finding(over), NOW_MS, [evidence]));
  await replacePeriodBreaks(db, run, breaks);
  const rows = breaks.map(({ amountMinor, ...rest }) => ({ ...rest, amountMinor: amountMinor.toString() }));
  await recordReport(db, toReport({ run, period }, rows as unknown as ReportBreak[], evidence));
}

function toReport(
  { run, period }: { run: string; period: string },
  breaks: readonly ReportBreak[],
  hash: string,
): Report {
  const evidence = {
    priceBookHash: 'p',
    digest: 'd',
    barrier: ['1'],
    lateBarrier: ['1'],
    codeVersion: 'test',
    hashes: [hash],
  };
  const content = { run, period, breaks, accounts: [], quantities: [], evidence, verdict: { unexplained: 0 } };
  const reportHash = computeReportHash({ ...content, priceBookHash: evidence.priceBookHash });
  const evidenceHash = computeEvidenceHash(reportHash, evidence);
  return { ...content, reportHash, evidenceHash } as unknown as Report;
}

/** What somebody does who has the database's own superuser: every trigger off, then the statement. */
export async function tamper(db: Kysely<BooksTables>, table: keyof ReconcileTables, statement: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql.raw(`ALTER TABLE ${table} DISABLE TRIGGER ALL`).execute(tx);
    await sql.raw(statement).execute(tx);
    await sql.raw(`ALTER TABLE ${table} ENABLE TRIGGER ALL`).execute(tx);
  });
}
