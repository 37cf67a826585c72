// How many messages of the log were stored as usage, by the record of every block: an account of its own, so that what the
// log holds can be compared with what became of it. Blocks that were read twice overlap; each message counts once. Joined
// ones (block-joins.ts) say what their blocks said.

import { sql } from 'kysely';
import type { CloseDeps } from './close.ts';
import { QUERIES } from './queries.ts';
import type { Barrier } from './usage.ts';

type BlockRow = {
  partition: number;
  first_offset: string;
  end_offset: string;
  /** Null when only a part of the block adds to what is known. */
  accepted: string | null;
};

export async function fetchAccepted({ db, clickhouse, topic }: CloseDeps, upTo: Barrier): Promise<bigint> {
  const ends = sql.join(upTo.map((end) => sql`${end.toString()}::bigint`));
  const { rows } = await sql<BlockRow>`
    WITH barrier AS (
      SELECT ordinal - 1 AS partition, end_offset FROM unnest(ARRAY[${ends}]) WITH ORDINALITY AS ends(end_offset, ordinal)
    ), blocks AS (
      SELECT partition, first_offset, end_offset, accepted,
        coalesce(max(end_offset) OVER (
          PARTITION BY partition ORDER BY first_offset, end_offset DESC, seq
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS seen
      FROM ingest_blocks WHERE topic = ${topic}
    ), fresh AS (
      SELECT blocks.partition, greatest(blocks.first_offset, seen) AS first_offset,
        least(blocks.end_offset, barrier.end_offset) AS end_offset, accepted,
        blocks.first_offset >= seen AND blocks.end_offset <= barrier.end_offset AS is_whole
      FROM blocks JOIN barrier USING (partition)
    )
    SELECT 0 AS partition, '0' AS first_offset, '0' AS end_offset, coalesce(sum(accepted), 0)::text AS accepted
    FROM fresh WHERE is_whole
    UNION ALL
    SELECT partition, first_offset::text, end_offset::text, NULL FROM fresh
    WHERE NOT is_whole AND first_offset < end_offset`.execute(db);
  const parts = rows.filter(({ accepted }) => accepted === null);
  const whole = rows.reduce((sum, { accepted }) => sum + BigInt(accepted ?? 0), 0n);
  if (parts.length === 0) return whole;
  const length = parts.reduce((sum, part) => sum + BigInt(part.end_offset) - BigInt(part.first_offset), 0n);
  const [rejected] = await clickhouse.query<{ records: string }>(QUERIES.rejectedWithin, {
    partitions: parts.map(({ partition }) => partition),
    firsts: parts.map((part) => BigInt(part.first_offset)),
    ends: parts.map((part) => BigInt(part.end_offset)),
  });
  return whole + length - BigInt(rejected?.records ?? 0);
}
