// I1, what can be said from the stores: the block log joins without gaps and ends where the stored rows end, every block
// counts as many messages as its range holds, and the minutes a block touched hold events.

import { sql } from 'kysely';
import { previousPeriod, periodOf } from '../../domain/period.ts';
import { fetchStoredLog, GAPS_NAMED } from '../block-log.ts';
import type { CloseDeps } from '../close.ts';
import { countedParameters } from '../parameters.ts';
import { QUERIES } from '../queries.ts';
import { WHOLE } from '../shards.ts';
import { fetchDroppedPeriods } from '../retention/state.ts';
import type { Look, Sight } from './findings.ts';
import { NEWEST, type Sampling } from './sampling.ts';

/** So many gaps, and as many blocks that count wrongly, are enough to name what is wrong. */
const NAMED_MAX = GAPS_NAMED;

export async function lookAtBlocks(deps: CloseDeps, { nowMs }: { nowMs: number }): Promise<Look> {
  const log = await fetchStoredLog(deps);
  const gaps = log.flatMap((one, partition) => one.gaps.map((gap) => ({ partition, ...gap }))).slice(0, NAMED_MAX);
  const sights: Sight[] = [];
  for (const { partition, at, next } of gaps) {
    const parameters = { partition, first: String(at), end: String(next) };
    const [row] = await deps.clickhouse.query<{ rows: string }>(QUERIES.storedBetween, parameters);
    const stored = row?.rows ?? 'unknown';
    const evidence = { topic: deps.topic, partition, from: String(at), to: String(next), storedRows: stored };
    sights.push({ kind: 'BLOCK_GAP', key: `${deps.topic} ${partition} ${at}`, evidence });
  }
  const miscounted = await fetchMiscounted(deps);
  for (const { block, partition, first_offset: from, end_offset: to, messages } of miscounted) {
    sights.push({ kind: 'BLOCK_COUNT', key: block, evidence: { partition, from, to, messages } });
  }
  const ends = log.map(({ end }) => end);
  const fromMs = previousPeriod(periodOf(nowMs)).startAtMs;
  const parameters = {
    ...countedParameters({ window: { startAtMs: fromMs, endAtMs: nowMs } }),
    ends,
  };
  const beyond = await deps.clickhouse.query<{ partition: number; first: string; last: string; rows: string }>(
    QUERIES.storedBeyond,
    parameters,
  );
  for (const { partition, first, last, rows } of beyond) {
    const evidence = { topic: deps.topic, partition, blockLogEnd: String(ends[partition] ?? 0n), first, last, rows };
    // Named by where it begins: under steady traffic every look sees some write in flight, and never the same one twice.
    sights.push({ kind: 'BLOCK_MISSING', key: `${deps.topic} ${partition} ${first}`, evidence });
  }
  // Where more is wrong than can be named, what was not named is not known to be mended.
  const isAll = gaps.length < NAMED_MAX && miscounted.length < NAMED_MAX;
  return { kinds: ['BLOCK_GAP', 'BLOCK_COUNT', 'BLOCK_MISSING'], sights, covers: () => isAll };
}

/** Of one that was read again to its end, by blocks that count right, nothing is wrong any more. */
async function fetchMiscounted({ db, topic }: CloseDeps) {
  const isReadAgain = sql<boolean>`int8range(first_offset, end_offset) <@ (
    SELECT range_agg(int8range(again.first_offset, again.end_offset))
    FROM ingest_blocks AS again
    WHERE again.topic = ingest_blocks.topic AND again.partition = ingest_blocks.partition
      AND again.seq > ingest_blocks.seq AND again.messages = again.end_offset - again.first_offset
      AND again.first_offset < ingest_blocks.end_offset AND again.end_offset > ingest_blocks.first_offset)`;
  return db
    .selectFrom('ingest_blocks')
    .select(['block', 'partition', 'first_offset', 'end_offset', 'messages'])
    .where('topic', '=', topic)
    .where(sql<boolean>`messages <> end_offset - first_offset`)
    .where(sql<boolean>`(${isReadAgain}) IS NOT TRUE`)
    .orderBy('seq')
    .limit(NAMED_MAX)
    .execute();
}

const HOUR_SECONDS = 3_600;

/**
 * Samples blocks of the last week, whose marks are kept, by mark: every touched minute has the same chance. Always among
 * them: the newest, and the minutes of standing findings, for which no marks are needed.
 */
export async function lookAtTouchedMinutes(deps: CloseDeps, sampling: Sampling): Promise<Look> {
  const standing = sampling.standing
    .filter(({ kind }) => kind === 'TRUTH_MISSING')
    .map(({ evidence }) => ({
      namespace: String(evidence['namespace']),
      minute: Date.parse(`${String(evidence['minute'])}Z`) / 1000,
      block: String(evidence['block']),
    }));
  const blocks = [...new Set([...standing.map(({ block }) => block), ...(await sampleBlocks(deps, sampling))])];
  const kinds = ['TRUTH_MISSING'] as const;
  if (blocks.length === 0) return { kinds, sights: [], covers: () => false };
  const touched = await deps.clickhouse.query<{ minute: number }>(QUERIES.touchedMinutes, { blocks, ...WHOLE });
  const minutes = [...touched, ...standing].map(({ minute }) => minute);
  const dropped = new Set(await fetchDroppedPeriods(deps.db));
  const missing = await deps.clickhouse.query<{ namespace: string; at: string; in_block: string }>(
    QUERIES.missingMinutes,
    {
      blocks,
      standing_namespaces: standing.map(({ namespace }) => namespace),
      standing_minutes: standing.map(({ minute }) => minute),
      standing_blocks: standing.map(({ block }) => block),
      hours: [...new Set(minutes.map((minute) => minute - (minute % HOUR_SECONDS)))],
      limit: NAMED_MAX,
    },
  );
  const sights = missing
    .filter(({ at }) => !dropped.has(at.slice(0, 7)))
    .map(({ namespace, at, in_block: block }): Sight => {
      return { kind: 'TRUTH_MISSING', key: `${namespace} ${at}`, evidence: { namespace, minute: at, block } };
    });
  return { kinds, sights, covers: () => missing.length < NAMED_MAX };
}

/** The newest blocks that are rolled up, and some that have marks. */
async function sampleBlocks({ clickhouse, db, topic }: CloseDeps, sampling: Sampling): Promise<string[]> {
  // A group of blocks is recorded at one instant, and its marks bear the name of the first.
  const { rows: newest } = await sql<{ block: string }>`
    SELECT DISTINCT ON (stored_at) block FROM ingest_blocks
    WHERE topic = ${topic} AND rolled_up_run IS NOT NULL
    ORDER BY stored_at DESC, seq LIMIT ${NEWEST}`.execute(db);
  const [count] = await clickhouse.query<{ marks: string }>(QUERIES.markCount);
  const every = Math.max(1, Math.floor(Number(count?.marks ?? 0) / Math.max(1, sampling.blocks)));
  const drawn = await clickhouse.query<{ block: string }>(QUERIES.sampledMarks, {
    every,
    from: Math.floor(sampling.random() * every),
    limit: NAMED_MAX,
  });
  const names = drawn.map(({ block }) => block);
  const waiting = await db
    .selectFrom('ingest_blocks')
    .select('block')
    .where(sql<boolean>`block = ANY(${names}::text[])`)
    .where('rolled_up_run', 'is', null)
    .execute();
  const isWaiting = new Set(waiting.map(({ block }) => block));
  return [...newest.map(({ block }) => block), ...names.filter((block) => !isWaiting.has(block))];
}
