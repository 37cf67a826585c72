// The block log as a close reads it: only what lies behind the last closed barrier, since everything before it was seen
// stored and rolled up; and, while lost parts are being restored, what has been read again so far.

import type { ExpressionBuilder } from 'kysely';
import { TrueupError } from '../domain/contracts/errors.ts';
import type { Postgres } from '../platform/postgres.ts';
import { computeCoverage, type BlockRange, type Coverage } from './coverage.ts';
import type { AggregateTables } from './tables.ts';
import type { Barrier } from './usage.ts';

export type BlockLog = {
  /** Everything before these offsets is stored and rolled up. */
  readonly from: Barrier;
  readonly ranges: readonly BlockRange[];
};

type LogDeps = { readonly db: Postgres<AggregateTables>; readonly topic: string };

const COLUMNS = ['partition', 'first_offset', 'end_offset', 'rolled_up_run'] as const;

/** Blocks behind the last closed barrier, and those before it that were read again and wait for the rollup worker. */
export async function fetchBlockLog({ db, topic }: LogDeps): Promise<BlockLog> {
  const closed = await db
    .selectFrom('periods')
    .select('barrier')
    .where('state', '=', 'CLOSED')
    .where('topic', '=', topic)
    .orderBy('key', 'desc')
    .executeTakeFirst();
  const from = closed?.barrier.map(BigInt) ?? [];
  const rows = await db
    .selectFrom('ingest_blocks')
    .select(COLUMNS)
    .where('topic', '=', topic)
    .where(endBehindOrWait(from))
    .execute();
  return { from, ranges: rows.map(toRange) };
}

/** Selects blocks that end behind these offsets, or lie in a partition beyond them, or wait to be rolled up. */
export function endBehindOrWait(from: Barrier) {
  return (expression: ExpressionBuilder<AggregateTables, 'ingest_blocks'>) =>
    expression.or([
      expression('rolled_up_run', 'is', null),
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
export async function fetchRestoration({ db, topic }: LogDeps): Promise<Coverage | undefined> {
  const pending = await db
    .selectFrom('part_restorations')
    .selectAll()
    .where('topic', '=', topic)
    .where('restored_at', 'is', null)
    .orderBy('id')
    .execute();
  for (const { id, from_offsets: from, to_offsets: to, since_seq: seq } of pending) {
    const rows = await db
      .selectFrom('ingest_blocks')
      .select(COLUMNS)
      .where('topic', '=', topic)
      .where('seq', '>', seq)
      .execute();
    const coverage = computeCoverage(rows.map(toRange), to.map(BigInt), from.map(BigInt));
    if (coverage.state !== 'complete') return coverage;
    await db.updateTable('part_restorations').set({ restored_at: new Date() }).where('id', '=', id).execute();
  }
  return undefined;
}

/** Throws `unavailable` ROLLUP_BEHIND while the sink or the rollup worker has not caught up, or lost parts are out. */
export async function checkRolledUp(deps: LogDeps, barrier: Barrier): Promise<void> {
  const restoration = await fetchRestoration(deps);
  if (restoration !== undefined) requireComplete(restoration, 'lost parts are being restored from the log: ');
  const { from, ranges } = await fetchBlockLog(deps);
  requireComplete(computeCoverage(ranges, barrier, from), '');
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

type BlockRow = { partition: number; first_offset: string; end_offset: string; rolled_up_run: string | null };

function toRange(row: BlockRow): BlockRange {
  return {
    partition: row.partition,
    firstOffset: BigInt(row.first_offset),
    endOffset: BigInt(row.end_offset),
    rolledUp: row.rolled_up_run !== null,
  };
}
