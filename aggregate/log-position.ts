// How far the log has been stored, as a position in every partition, and whether blocks continue it. Between two
// positions lies a known stretch of the log: nothing of it is missing, nothing in it was there before.

import { sql } from 'kysely';
import type { Postgres } from '../platform/postgres.ts';
import { endBehindOrWait } from './block-log.ts';
import type { StoredRange } from './coverage.ts';
import type { Shard } from './shards.ts';
import type { AggregateTables } from './tables.ts';
import type { Barrier } from './usage.ts';

/** The position behind the ranges; undefined if they leave a gap or begin before `position`. Pure. */
export function advance(position: Barrier, ranges: readonly StoredRange[]): Barrier | undefined {
  const ends = [...position];
  const inOrder = ranges.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  for (const { partition, firstOffset, endOffset } of inOrder) {
    if (ends[partition] !== firstOffset) return undefined;
    ends[partition] = endOffset;
  }
  return ends;
}

/** Where the blocks of every partition end now; a partition without any block ends at 0. */
export async function fetchPosition(db: Postgres<AggregateTables>, topic: string): Promise<Barrier> {
  const { rows } = await sql<{ ends: string }>`
    SELECT coalesce(
      (SELECT max(end_offset) FROM ingest_blocks WHERE topic = ${topic} AND partition = number), 0
    )::text AS ends
    FROM generate_series(0, (SELECT max(partition) FROM ingest_blocks WHERE topic = ${topic})) AS number
    ORDER BY number`.execute(db);
  return rows.map(({ ends }) => BigInt(ends));
}

export type StoredBlock = StoredRange & { readonly block: string; readonly accepted: number };

/** Blocks that end behind the position or wait to be rolled up in the shard, at most `limit` of them. */
export async function fetchStoredSince(
  db: Postgres<AggregateTables>,
  topic: string,
  { position, shard, limit }: { readonly position: Barrier; readonly shard: Shard; readonly limit: number },
): Promise<StoredBlock[]> {
  const rows = await db
    .selectFrom('ingest_blocks')
    .select(['block', 'accepted', 'partition', 'first_offset', 'end_offset'])
    .where('topic', '=', topic)
    .where(endBehindOrWait(position, shard))
    .limit(limit)
    .execute();
  return rows.map(({ block, accepted, partition, first_offset: first, end_offset: end }) => ({
    block,
    accepted,
    partition,
    firstOffset: BigInt(first),
    endOffset: BigInt(end),
  }));
}
