// Writes blocks where the other stages find them, in the one order that survives a crash between any two steps:
// truth and rejects, then the touched minutes (a mark seen before its rows would be spent too early), then the block's
// record, and only after that may the caller commit. A crash repeats the whole block, and every table takes that:
// truth and rejects by their keys, dirty marks at the price of a recomputation, block records as overlapping ranges.

import { Readable } from 'node:stream';
import { invariant } from '../domain/contracts/errors.ts';
import { CLICKHOUSE_TABLES } from '../domain/contracts/tables.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import type { Postgres } from '../platform/postgres.ts';
import { REJECT_COLUMNS, type Block } from './block.ts';
import { MARK_COLUMNS, markTouched } from './dirty-marks.ts';
import { EVENT_COLUMNS, type Rows } from './event-rows.ts';
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

type Table = {
  readonly name: string;
  readonly columns: readonly string[];
  readonly format: 'RowBinary' | 'TabSeparated';
};

const EVENTS: Table = { name: CLICKHOUSE_TABLES.usageEvents, columns: EVENT_COLUMNS, format: 'RowBinary' };
const MARKS: Table = { name: CLICKHOUSE_TABLES.usageDirty, columns: MARK_COLUMNS, format: 'RowBinary' };
const REJECTS: Table = { name: CLICKHOUSE_TABLES.usageRejected, columns: REJECT_COLUMNS, format: 'TabSeparated' };

export function createBlockStore(
  clickhouse: ClickHouse,
  postgres: Postgres<IngestTables>,
  waiting: Waiting,
): BlockStore {
  const insert = async (table: Table, rows: readonly Rows[]) => {
    const count = rows.reduce((sum, part) => sum + part.count, 0);
    if (count === 0) return;
    const body = rows.map(({ bytes }) => bytes);
    const received = await waitOut(
      'clickhouse',
      // Sent again after an uncertain answer too: the same rows once more are harmless.
      async () =>
        table.format === 'RowBinary'
          ? clickhouse.insertRowBinary(table.name, table.columns, body)
          : clickhouse.insertTsv(table.name, table.columns, Readable.from(body, { objectMode: false })),
      waiting,
    );
    const promise = `sent ${count} rows to ${table.name}, the engine received ${received}`;
    invariant(received === count, 'I1', promise);
  };
  const insertMonths = async (table: Table, months: readonly ReadonlyMap<string, Rows>[]) => {
    // One month per insert is one part, which is there whole or not at all.
    for (const rows of byMonth(months).values()) await insert(table, rows);
  };
  return {
    write: async (blocks) => {
      const start = performance.now();
      await Promise.all([
        insertMonths(
          EVENTS,
          blocks.map(({ events }) => events),
        ),
        insertMonths(
          REJECTS,
          blocks.map(({ rejects }) => rejects),
        ),
      ]);
      const stored = performance.now();
      await insert(MARKS, [markTouched(blocks)]);
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

function byMonth(blocks: readonly ReadonlyMap<string, Rows>[]): Map<string, Rows[]> {
  const months = new Map<string, Rows[]>();
  for (const [month, rows] of blocks.flatMap((block) => [...block])) {
    months.set(month, [...(months.get(month) ?? []), rows]);
  }
  return months;
}
