// The block log as a close reads it: only what lies behind the last closed barrier, since everything before it was seen
// stored and rolled up; and, while lost parts are being restored, what has been read again so far. Postgres goes through
// the blocks; what comes back is a row per partition.

import { sql, type ExpressionBuilder } from 'kysely';
import { TrueupError } from '../domain/contracts/errors.ts';
import type { Postgres } from '../platform/postgres.ts';
import { computeCoverage, type Coverage, type StoredLog } from './coverage.ts';
import { WHOLE, type Shard } from './shards.ts';
import type { AggregateTables } from './tables.ts';
import type { Barrier } from './usage.ts';

type LogDeps = { readonly db: Postgres<AggregateTables>; readonly topic: string };

type Stretch = {
  /** Everything before these offsets is known to be stored and rolled up. */
  readonly from?: Barrier;
  /** Only blocks that begin before it are counted as waiting. */
  readonly barrier?: Barrier;
  /** Only blocks that were recorded later. */
  readonly sinceSeq?: string;
};

export const GAPS_NAMED = 100;

type PartitionRow = {
  partition: number;
  stored: string;
  end: string;
  gaps_at: string[] | null;
  gaps_next: string[] | null;
  waiting: string;
};

/** What the blocks of a topic come to. */
export async function fetchStoredLog(
  { db, topic }: LogDeps,
  { from = [], barrier = [], sinceSeq = '0' }: Stretch = {},
): Promise<StoredLog> {
  const known = sql`coalesce((${from.map(String)}::bigint[])[partition + 1], 0)`;
  // `reached`: up to where the blocks that begin earlier are stored.
  const { rows } = await sql<PartitionRow>`
    WITH blocks AS (
      SELECT partition, first_offset, end_offset, rolled_up_run,
        greatest(${known}, max(end_offset) OVER (
          PARTITION BY partition ORDER BY first_offset ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )) AS reached
      FROM ingest_blocks
      WHERE topic = ${topic} AND seq > ${sinceSeq} AND (rolled_up_run IS NULL OR end_offset > ${known})
    )
    SELECT partition,
      coalesce(min(reached) FILTER (WHERE first_offset > reached), max(greatest(reached, end_offset)))::text AS stored,
      max(greatest(reached, end_offset))::text AS end,
      (array_agg(reached::text ORDER BY first_offset) FILTER (WHERE first_offset > reached))[1:${sql.lit(GAPS_NAMED)}] AS gaps_at,
      (array_agg(first_offset::text ORDER BY first_offset) FILTER (WHERE first_offset > reached))[1:${sql.lit(GAPS_NAMED)}] AS gaps_next,
      count(*) FILTER (
        WHERE rolled_up_run IS NULL AND first_offset < (${barrier.map(String)}::bigint[])[partition + 1]
      )::text AS waiting
    FROM blocks GROUP BY partition`.execute(db);
  const found = new Map(rows.map((row) => [row.partition, row]));
  const partitions = Math.max(from.length, barrier.length, ...rows.map(({ partition }) => partition + 1));
  return Array.from({ length: partitions }, (_, partition) => {
    const row = found.get(partition);
    if (row === undefined) return { stored: from[partition] ?? 0n, end: from[partition] ?? 0n, gaps: [], waiting: 0 };
    const { gaps_at: at, gaps_next: next } = row;
    return {
      stored: BigInt(row.stored),
      end: BigInt(row.end),
      gaps: (at ?? []).map((one, index) => ({ at: BigInt(one), next: BigInt(next?.[index] ?? 0) })),
      waiting: Number(row.waiting),
    };
  });
}

/** Behind the last closed barrier, and what was read again before it and waits for the rollup worker. */
export async function fetchOpenLog(deps: LogDeps, barrier: Barrier): Promise<StoredLog> {
  const closed = await deps.db
    .selectFrom('periods')
    .select('barrier')
    .where('state', '=', 'CLOSED')
    .where('topic', '=', deps.topic)
    .orderBy('key', 'desc')
    .executeTakeFirst();
  return fetchStoredLog(deps, { from: closed?.barrier.map(BigInt) ?? [], barrier });
}

/** Selects blocks that wait to be rolled up, in full or in one shard. */
export function waitsFor({ shard, shards }: Shard) {
  return (expression: ExpressionBuilder<AggregateTables, 'ingest_blocks'>) => {
    const waits = expression('rolled_up_run', 'is', null);
    if (shards === 1) return waits;
    const done = expression
      .selectFrom('rollup_shards_done as done')
      .select('done.block')
      .whereRef('done.block', '=', 'ingest_blocks.block')
      .where('done.shards', '=', shards)
      .where('done.shard', '=', shard);
    return expression.and([waits, expression.not(expression.exists(done))]);
  };
}

/** Selects blocks that end behind these offsets, or lie in a partition beyond them, or wait to be rolled up. */
export function endBehindOrWait(from: Barrier, shard = WHOLE) {
  return (expression: ExpressionBuilder<AggregateTables, 'ingest_blocks'>) =>
    expression.or([
      waitsFor(shard)(expression),
      expression('partition', '>=', from.length),
      ...from.map((end, partition) =>
        expression.and([expression('partition', '=', partition), expression('end_offset', '>', String(end))]),
      ),
    ]);
}

/**
 * How far the log has been read again for parts that were lost; undefined when nothing is being restored. What is found
 * done is recorded as done.
 */
export async function fetchRestoration(deps: LogDeps): Promise<Coverage | undefined> {
  const { db, topic } = deps;
  const pending = await db
    .selectFrom('part_restorations')
    .selectAll()
    .where('topic', '=', topic)
    .where('restored_at', 'is', null)
    .orderBy('id')
    .execute();
  for (const { id, from_offsets: from, to_offsets: to, since_seq: seq } of pending) {
    const barrier = to.map(BigInt);
    const log = await fetchStoredLog(deps, { from: from.map(BigInt), barrier, sinceSeq: seq });
    const coverage = computeCoverage(log, barrier);
    if (coverage.state !== 'complete') return coverage;
    await db.updateTable('part_restorations').set({ restored_at: new Date() }).where('id', '=', id).execute();
  }
  return undefined;
}

/** Throws `unavailable` ROLLUP_BEHIND while the sink or the rollup worker has not caught up, or lost parts are out. */
export async function checkRolledUp(deps: LogDeps, barrier: Barrier): Promise<void> {
  const restoration = await fetchRestoration(deps);
  if (restoration !== undefined) requireComplete(restoration, 'lost parts are being restored from the log: ');
  requireComplete(computeCoverage(await fetchOpenLog(deps, barrier), barrier), '');
}

function requireComplete(coverage: Coverage, why: string): void {
  switch (coverage.state) {
    case 'complete':
      return;
    case 'gap':
      // A block that another sink is just storing shows as a gap for a moment, so this waits; an integrity check
      // that finds the same gap twice is what raises the alarm.
      throw behind(`${why}partition ${coverage.partition} has nothing stored from ${coverage.at} to ${coverage.next}`);
    case 'behind':
      throw behind(`${why}partition ${coverage.partition} is stored up to ${coverage.stored} of ${coverage.barrier}`);
    case 'to_roll_up':
      throw behind(`${why}${coverage.blocks} blocks wait for the rollup worker`);
  }
}

function behind(message: string): TrueupError {
  return new TrueupError({ kind: 'unavailable', code: 'ROLLUP_BEHIND', message, next: 'ask again in a moment' });
}
