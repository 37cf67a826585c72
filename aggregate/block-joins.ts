// Old blocks become one. A block needs a row of its own while it waits to be rolled up, while its sink may record it once
// more, and, the newest ones, to compare the stores (platform/store-fence.ts). Later a row per stretch says as much; without
// it there would be up to thirty new ones a second for ever.
// Promises: what is stored, and up to where, reads the same before and after. A joined row counts as many messages as its
// range holds, each once. Barriers that were taken stay edges of rows, so that what was stored before them is counted by
// whole rows.
// Any number of jobs may join while sinks write: each takes rows that no other holds, and gives them back joined in one
// transaction. When it dies, nothing happened.

import { sql } from 'kysely';
import { invariant } from '../domain/contracts/errors.ts';
import type { Postgres } from '../platform/postgres.ts';
import type { StoredRange } from './coverage.ts';
import type { AggregateTables } from './tables.ts';
import type { Barrier } from './usage.ts';

type JoinDeps = { readonly db: Postgres<AggregateTables>; readonly topic: string };

export type JoinOptions = {
  /** Blocks recorded later stay alone; machine time, by the database's clock. */
  readonly aloneMs?: number;
  /** Rows of a partition that are looked at in one transaction. */
  readonly rowsMax?: number;
};

const ALONE_MS = 3_600_000;
const ROWS_MAX = 5_000;
/** Transactions for a partition in one call. */
const TURNS_MAX = 10;
/** Messages of a joined row; its columns hold twice as many. */
const MESSAGES_MAX = 1_000_000_000n;

/** Resolves with how many rows fewer there are. The newest come first, so that a backlog shrinks with every call. */
export async function joinBlocks(deps: JoinDeps, options: JoinOptions = {}): Promise<number> {
  const { rows } = await sql<{ partition: number }>`
    SELECT number AS partition
    FROM generate_series(0, (SELECT max(partition) FROM ingest_blocks WHERE topic = ${deps.topic})) AS number`.execute(
    deps.db,
  );
  let fewer = 0;
  for (const { partition } of rows) {
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const gone = await joinPartition(deps, partition, options);
      if (gone === 0) break;
      fewer += gone;
    }
  }
  return fewer;
}

async function joinPartition({ db, topic }: JoinDeps, partition: number, options: JoinOptions): Promise<number> {
  return db.transaction().execute(async (transaction) => {
    const rows = await takeRows(transaction, { topic, partition, ...options });
    const barriers = await fetchBarriers(transaction, topic);
    const joins = computeJoins(
      rows,
      barriers.flatMap((barrier) => barrier[partition] ?? []),
    );
    const kept = joins.map(({ chain }) => oldestOf(chain).block);
    const gone = joins.flatMap(({ chain, spare }, index) =>
      [...chain, ...spare].map(({ block }) => block).filter((block) => block !== kept[index]),
    );
    if (gone.length === 0) return 0;
    const deleted = await transaction
      .deleteFrom('ingest_blocks')
      .where(sql<boolean>`block = ANY(${gone}::text[])`)
      .executeTakeFirst();
    invariant(
      deleted.numDeletedRows === BigInt(gone.length),
      'I1',
      `${gone.length} blocks were held, but not all there`,
    );
    for (const { chain } of joins.filter((one) => one.chain.length > 1)) {
      const { block, seq } = oldestOf(chain);
      const [first, end] = [chain[0]?.firstOffset ?? 0n, chain.at(-1)?.endOffset ?? 0n];
      await transaction
        .updateTable('ingest_blocks')
        .set({
          block: `${topic}-${partition}-${first}-${end}-joined-${seq}`,
          first_offset: String(first),
          end_offset: String(end),
          ...sumsOf(chain),
          trace: null,
        })
        .where('block', '=', block)
        .execute();
    }
    return gone.length;
  });
}

export type Joinable = StoredRange & {
  readonly block: string;
  readonly seq: bigint;
  readonly messages: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly blocks: number;
  readonly rolledUpRun: bigint;
  readonly storedAt: Date;
};

type Join = {
  /** In order of offsets, each beginning where the one before ends. */
  readonly chain: readonly Joinable[];
  /** Redelivered ranges that lie inside the chain: they add nothing. */
  readonly spare: readonly Joinable[];
};

/**
 * What of a partition's rows becomes one. No chain goes beyond an edge. Of a range that was redelivered in other pieces the
 * pieces that fit are taken; a row that only overlaps the chain is not cut, but stays. Pure.
 */
export function computeJoins(rows: readonly Joinable[], edges: readonly bigint[], messagesMax = MESSAGES_MAX): Join[] {
  const crosses = ({ firstOffset, endOffset }: Joinable) =>
    edges.some((edge) => firstOffset < edge && edge < endOffset);
  const inOrder = (a: Joinable, b: Joinable) =>
    compare(a.firstOffset, b.firstOffset) || compare(b.endOffset, a.endOffset) || compare(a.seq, b.seq);
  const joins: Join[] = [];
  let rest = rows.filter((row) => !crosses(row)).toSorted(inOrder);
  while (rest.length > 0) {
    const chain = furthestChain(rest, new Set(edges), messagesMax);
    const end = chain.at(-1)?.endOffset ?? 0n;
    const links = new Set(chain);
    const spare = rest.filter((row) => row.endOffset <= end && !links.has(row));
    joins.push({ chain, spare });
    rest = rest.filter((row) => row.endOffset > end);
  }
  return joins;
}

/** From the first of the rows, which are in order, as far as they join. */
function furthestChain(rows: readonly Joinable[], edges: ReadonlySet<bigint>, messagesMax: bigint): Joinable[] {
  const start = rows[0]?.firstOffset ?? 0n;
  const endingAt = new Map<bigint, Joinable>();
  let furthest = start;
  for (const row of rows) {
    const { firstOffset, endOffset } = row;
    if (firstOffset > furthest) break;
    const continues = endingAt.has(firstOffset) && !edges.has(firstOffset) && endOffset - start <= messagesMax;
    if ((firstOffset !== start && !continues) || endingAt.has(endOffset)) continue;
    endingAt.set(endOffset, row);
    if (endOffset > furthest) furthest = endOffset;
  }
  const chain: Joinable[] = [];
  for (let row = endingAt.get(furthest); row !== undefined; row = endingAt.get(row.firstOffset)) chain.push(row);
  return chain.reverse();
}

/** Its place in the order of recording is the chain's: nothing of it was recorded before. */
function oldestOf(chain: readonly Joinable[]): Joinable {
  return chain.reduce((oldest, row) => (row.seq < oldest.seq ? row : oldest));
}

function sumsOf(chain: readonly Joinable[]) {
  const sum = (counted: 'messages' | 'accepted' | 'rejected' | 'blocks') =>
    chain.reduce((total, row) => total + row[counted], 0);
  return {
    messages: sum('messages'),
    accepted: sum('accepted'),
    rejected: sum('rejected'),
    blocks: sum('blocks'),
    rolled_up_run: chain.reduce((newest, { rolledUpRun: run }) => (run > newest ? run : newest), 0n).toString(),
    stored_at: new Date(Math.max(...chain.map(({ storedAt }) => storedAt.getTime()))),
  };
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

type Taken = JoinOptions & { readonly topic: string; readonly partition: number };

/**
 * Rows that nobody needs alone, held until the transaction ends; those that another job holds are left out. Not among
 * them: rows that count wrongly, which are a finding, and while the log is read again, what was read again.
 */
async function takeRows(
  db: Postgres<AggregateTables>,
  { topic, partition, aloneMs = ALONE_MS, rowsMax = ROWS_MAX }: Taken,
): Promise<Joinable[]> {
  const rows = await db
    .selectFrom('ingest_blocks')
    .select(['block', 'partition', 'seq', 'first_offset', 'end_offset', 'messages', 'accepted', 'rejected', 'blocks'])
    .select(['rolled_up_run', 'stored_at'])
    .where('topic', '=', topic)
    .where('partition', '=', partition)
    .where('rolled_up_run', 'is not', null)
    .where(sql<boolean>`messages = end_offset - first_offset`)
    .where(sql<boolean>`stored_at <= now() - ${aloneMs}::integer * interval '1 millisecond'`)
    .where(sql<boolean>`stored_at < (SELECT max(stored_at) FROM ingest_blocks WHERE topic = ${topic} AND accepted > 0)`)
    .where(
      sql<boolean>`seq <= ALL (SELECT since_seq FROM part_restorations WHERE topic = ${topic} AND restored_at IS NULL)`,
    )
    .orderBy('first_offset', 'desc')
    .limit(rowsMax)
    .forUpdate()
    .skipLocked()
    .execute();
  return rows.map((row) => ({
    block: row.block,
    partition: row.partition,
    seq: BigInt(row.seq),
    firstOffset: BigInt(row.first_offset),
    endOffset: BigInt(row.end_offset),
    messages: row.messages,
    accepted: row.accepted,
    rejected: row.rejected,
    blocks: row.blocks,
    rolledUpRun: BigInt(row.rolled_up_run ?? 0),
    storedAt: row.stored_at,
  }));
}

/** All that were taken, of closes and of adjustments. Later ones lie behind everything that is stored by now. */
async function fetchBarriers(db: Postgres<AggregateTables>, topic: string): Promise<Barrier[]> {
  const closes = await db.selectFrom('periods').select('barrier').where('topic', '=', topic).execute();
  const adjustments = await db.selectFrom('adjustment_runs').select('barrier').execute();
  return [...closes, ...adjustments].map(({ barrier }) => barrier.map(BigInt));
}
