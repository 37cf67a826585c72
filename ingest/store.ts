// Writes blocks where the other stages find them, in the one order that survives a crash between any two steps:
// truth and rejects, then the touched minutes (a mark seen before its rows would be spent too early), then the block's
// record, and only after that may the caller commit. A crash repeats the whole block, and every table takes that:
// truth and rejects by their keys, dirty marks at the price of a recomputation, block records as overlapping ranges.

import { Readable } from 'node:stream';
import { invariant } from '../domain/contracts/errors.ts';
import { CLICKHOUSE_TABLES } from '../domain/contracts/tables.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import type { Postgres } from '../platform/postgres.ts';
import { DIRTY_COLUMNS, EVENT_COLUMNS, REJECT_COLUMNS, type Block, type Rows } from './block.ts';
import type { IngestTables } from './tables.ts';
import { waitOut, type Waiting } from './wait-out.ts';

export type StoreTimings = { readonly truthMs: number; readonly dirtyMs: number; readonly recordMs: number };

export type BlockStore = {
  /**
   * Resolves when all of the blocks are durable and recorded. Waits while a server is unavailable, until asked to stop.
   * Throws `bug` if the engine reports another number of rows than were sent (promise I1).
   */
  write(blocks: readonly Block[]): Promise<StoreTimings>;
};

export function createBlockStore(
  clickhouse: ClickHouse,
  postgres: Postgres<IngestTables>,
  waiting: Waiting,
): BlockStore {
  const insert = async (table: string, columns: readonly string[], rows: Rows) => {
    if (rows.count === 0) return;
    const received = await waitOut(
      'clickhouse',
      // Sent again after an uncertain answer too: the same rows once more are harmless.
      async () => clickhouse.insertTsv(table, columns, Readable.from([rows.tsv], { objectMode: false })),
      waiting,
    );
    const promise = `sent ${rows.count} rows to ${table}, the engine received ${received}`;
    invariant(received === rows.count, 'I1', promise);
  };
  const insertMonths = async (table: string, columns: readonly string[], months: ReadonlyMap<string, Rows>[]) => {
    // One month per insert is one part, which is there whole or not at all.
    for (const rows of mergeMonths(months)) await insert(table, columns, rows);
  };
  return {
    write: async (blocks) => {
      const start = performance.now();
      await Promise.all([
        insertMonths(
          CLICKHOUSE_TABLES.usageEvents,
          EVENT_COLUMNS,
          blocks.map(({ events }) => events),
        ),
        insertMonths(
          CLICKHOUSE_TABLES.usageRejected,
          REJECT_COLUMNS,
          blocks.map(({ rejects }) => rejects),
        ),
      ]);
      const stored = performance.now();
      await insert(CLICKHOUSE_TABLES.usageDirty, DIRTY_COLUMNS, merge(blocks.map(({ dirty }) => dirty)));
      const marked = performance.now();
      await waitOut('postgres', async () => insertBlocks(postgres, blocks), waiting);
      return {
        truthMs: Math.round(stored - start),
        dirtyMs: Math.round(marked - stored),
        recordMs: Math.round(performance.now() - marked),
      };
    },
  };
}

async function insertBlocks(postgres: Postgres<IngestTables>, blocks: readonly Block[]): Promise<void> {
  await postgres
    .insertInto('ingest_blocks')
    .values(
      blocks.map(({ block, topic, partition, firstOffset, endOffset, messages, accepted, rejected }) => ({
        block,
        topic,
        partition,
        first_offset: String(firstOffset),
        end_offset: String(endOffset),
        messages,
        accepted,
        rejected,
      })),
    )
    .onConflict((conflict) => conflict.column('block').doNothing())
    .execute();
}

function mergeMonths(blocks: readonly ReadonlyMap<string, Rows>[]): Rows[] {
  const months = new Map<string, Rows[]>();
  for (const [month, rows] of blocks.flatMap((block) => [...block]))
    months.set(month, [...(months.get(month) ?? []), rows]);
  return [...months.values()].map(merge);
}

function merge(rows: readonly Rows[]): Rows {
  const first = rows[0];
  if (rows.length === 1 && first !== undefined) return first;
  return { count: rows.reduce((sum, { count }) => sum + count, 0), tsv: Buffer.concat(rows.map(({ tsv }) => tsv)) };
}
