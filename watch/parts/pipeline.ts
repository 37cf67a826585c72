// How far the log is stored and rolled up, and what the continuous proof found. Reads only.

import { sql } from 'kysely';
import { fetchFindings } from '../../aggregate/integrity/findings.ts';
import { dueWindow } from '../../aggregate/integrity/sources.ts';
import { formatWindow } from '../../aggregate/parameters.ts';
import { QUERIES } from '../../aggregate/queries.ts';
import { fetchDatabaseNowMs } from '../../aggregate/usage.ts';
import { fetchWorkList } from '../../aggregate/work-list.ts';
import type { WatchDeps } from '../deps.ts';
import type { FindingsStanding, LogStanding, RollupStanding } from '../standing.ts';

/** Stored is the furthest block of each partition; a gap before it is a finding of the continuous proof. */
export async function lookAtLog({ db, topic, fetchEndOffsets }: WatchDeps): Promise<LogStanding> {
  const ends = await fetchEndOffsets();
  const stored = await Promise.all(
    ends.map(async (_, partition) => {
      const row = await db
        .selectFrom('ingest_blocks')
        .select(({ fn }) => fn.max('end_offset').as('end'))
        .where('topic', '=', topic)
        .where('partition', '=', partition)
        .executeTakeFirst();
      return BigInt(row?.end ?? '0');
    }),
  );
  return { ends, stored };
}

export async function lookAtRollup({ db, topic }: WatchDeps, { stored }: LogStanding): Promise<RollupStanding> {
  const { behind, oldestAtMs } = await fetchWorkList(db);
  const { rows } = await sql<{ partition: number; first: string }>`
    SELECT partition, min(first_offset)::text AS first FROM ingest_blocks
    WHERE topic = ${topic} AND rolled_up_run IS NULL GROUP BY partition`.execute(db);
  const pending = new Map(rows.map(({ partition, first }) => [partition, BigInt(first)]));
  const nowMs = await fetchDatabaseNowMs(db);
  return {
    pendingBlocks: Number(behind),
    oldestPendingMs: oldestAtMs === null ? 0 : Math.max(0, nowMs - oldestAtMs),
    rolledUp: stored.map((end, partition) => pending.get(partition) ?? end),
  };
}

export async function lookAtFindings({ db, clickhouse, clock }: WatchDeps): Promise<FindingsStanding> {
  const standing = await fetchFindings(db);
  const open = standing.filter(({ state }) => state === 'OPEN');
  const [row] = await clickhouse.query<{ manifests: string; announced: string }>(
    QUERIES.announcedEvents,
    formatWindow(dueWindow(await clock.now(), open)),
  );
  const missing = open
    .filter(({ kind }) => kind === 'SOURCE_SHORT')
    .map(({ evidence: { said, came } }) => BigInt(String(said)) - BigInt(String(came)));
  return {
    open,
    announced: row === undefined || row.manifests === '0' ? null : BigInt(row.announced),
    missing: missing.reduce((sum, one) => (one > 0n ? sum + one : sum), 0n),
  };
}
