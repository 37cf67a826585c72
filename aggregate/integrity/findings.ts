// Findings as they are stored. A check says what it found and what it looked at; what stands open, was looked for and
// was not found is resolved. Recording the same look twice changes nothing.

import type { Postgres } from '../../platform/postgres.ts';
import type { AggregateTables } from '../tables.ts';
import { FINDING_RULES, type FindingKind } from '../../domain/contracts/integrity-findings.ts';

export type Evidence = Readonly<Record<string, string | number | boolean | readonly string[]>>;

export type Sight = { readonly kind: FindingKind; readonly key: string; readonly evidence: Evidence };

export type Look = {
  readonly kinds: readonly FindingKind[];
  readonly sights: readonly Sight[];
  /** Would this look have seen the finding again, if it still stood? Samples see only what they sampled. */
  readonly covers: (key: string, evidence: Evidence) => boolean;
};

export type Finding = Sight & {
  readonly state: 'SUSPECTED' | 'OPEN' | 'RESOLVED';
  readonly seen: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
};

export type RecordOptions = {
  /** Machine time. */
  readonly atMs: number;
  /** Sights closer together than this count as one: two workers at once are not a second look. */
  readonly secondLookMs: number;
};

export async function recordLook(
  db: Postgres<AggregateTables>,
  look: Look,
  { atMs, secondLookMs }: RecordOptions,
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const standing = await transaction
      .selectFrom('integrity_findings')
      .selectAll()
      .where('kind', 'in', [...look.kinds])
      .forUpdate()
      .execute();
    const known = new Map(standing.map((row) => [`${row.kind} ${row.key}`, row]));
    for (const { kind, key, evidence } of look.sights) {
      const before = known.get(`${kind} ${key}`);
      const isFirst = before === undefined || before.state === 'RESOLVED';
      const isAgain = !isFirst && atMs - before.last_seen.getTime() >= secondLookMs;
      const seen = isFirst ? 1 : before.seen + (isAgain ? 1 : 0);
      const row = {
        state: FINDING_RULES[kind].certain || seen > 1 ? ('OPEN' as const) : ('SUSPECTED' as const),
        seen,
        first_seen: isFirst ? new Date(atMs) : before.first_seen,
        last_seen: isFirst || isAgain ? new Date(atMs) : before.last_seen,
        evidence: JSON.stringify(evidence),
        resolved_at: null,
      };
      await transaction
        .insertInto('integrity_findings')
        .values({ kind, key, ...row })
        .onConflict((conflict) => conflict.columns(['kind', 'key']).doUpdateSet(row))
        .execute();
    }
    const found = new Set(look.sights.map(({ kind, key }) => `${kind} ${key}`));
    for (const row of standing) {
      if (row.state === 'RESOLVED' || found.has(`${row.kind} ${row.key}`)) continue;
      if (!look.covers(row.key, row.evidence)) continue;
      await transaction
        .updateTable('integrity_findings')
        .set({ state: 'RESOLVED', resolved_at: new Date(atMs) })
        .where('kind', '=', row.kind)
        .where('key', '=', row.key)
        .execute();
    }
  });
}

/** What stands: open first, then suspected, the oldest first. With `all` also what was resolved. */
export async function fetchFindings(db: Postgres<AggregateTables>, all = false): Promise<Finding[]> {
  const rows = await db
    .selectFrom('integrity_findings')
    .selectAll()
    .where('state', 'in', all ? ['OPEN', 'SUSPECTED', 'RESOLVED'] : ['OPEN', 'SUSPECTED'])
    .orderBy('state')
    .orderBy('first_seen')
    .orderBy('kind')
    .orderBy('key')
    .execute();
  return rows.map(({ kind, key, state, seen, first_seen: first, last_seen: last, evidence }) => ({
    kind,
    key,
    state,
    seen,
    firstSeenMs: first.getTime(),
    lastSeenMs: last.getTime(),
    evidence,
  }));
}
