// Writes blocks where the other stages find them, in the one order that survives a crash between any two steps:
// truth and rejects, then the touched minutes (a mark seen before its rows would be spent too early), then the block's
// record, and only after that may the caller commit. A crash repeats the whole block, and every table takes that:
// truth and rejects by their keys, dirty marks at the price of a recomputation, block records as overlapping ranges.

import { Readable } from 'node:stream';
import { invariant } from '../domain/contracts/errors.ts';
import { CLICKHOUSE_TABLES, EVENT_COLUMNS } from '../domain/contracts/tables.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import { rememberLogLayout, type LogLayout } from '../platform/log-layout.ts';
import type { Postgres } from '../platform/postgres.ts';
import { REJECT_COLUMNS, type Block } from './block.ts';
import { orderEvents, type OrderedEvents } from './event-order.ts';
import type { NativeRows } from './native.ts';
import type { IngestTables } from './tables.ts';
import { MARK_COLUMNS, toMarks, toTruth } from './truth-rows.ts';
import { waitOut, type Waiting } from './wait-out.ts';

const { usageEvents: EVENTS, usageDirty: MARKS, usageRejected: REJECTS } = CLICKHOUSE_TABLES;

export type StoreTimings = { readonly truthMs: number; readonly dirtyMs: number; readonly recordMs: number };

export type BlockStore = {
  /** Throws `bug` LOG_LAYOUT_CHANGED when the stores hold another log. Waits like `write`. */
  rememberLayout(layout: LogLayout): Promise<void>;
  /**
   * Resolves when all of the blocks are durable and recorded. Waits while a server is unavailable, until asked to stop.
   * Throws `bug` if the engine reports another number of rows than were sent (promise I1). `trace` is the W3C traceparent
   * under which it happens, for those who go on with the blocks.
   */
  write(blocks: readonly Block[], trace?: string): Promise<StoreTimings>;
};

export function createBlockStore(
  clickhouse: ClickHouse,
  postgres: Postgres<IngestTables>,
  waiting: Waiting,
): BlockStore {
  const insert = async (table: string, count: number, send: () => Promise<number>) => {
    if (count === 0) return;
    // Sent again after an uncertain answer too: the same rows once more are harmless.
    const received = await waitOut('clickhouse', send, waiting);
    invariant(received === count, 'I1', `sent ${count} rows to ${table}, the engine received ${received}`);
  };
  const insertNative = async (table: string, columns: readonly string[], { count, parts }: NativeRows) =>
    insert(table, count, async () => clickhouse.insertNative(table, columns, parts));
  const insertTruth = async (events: OrderedEvents) => {
    // One month per insert is one part, which is there whole or not at all.
    for (const rows of toTruth(events).values()) await insertNative(EVENTS, EVENT_COLUMNS, rows);
  };
  const insertRejects = async (blocks: readonly Block[]) => {
    const months = Map.groupBy(
      blocks.flatMap(({ rejects }) => [...rejects]),
      ([month]) => month,
    );
    for (const rejects of months.values()) {
      const count = rejects.reduce((sum, [, rows]) => sum + rows.count, 0);
      const text = Buffer.concat(rejects.map(([, rows]) => rows.bytes));
      await insert(REJECTS, count, async () => clickhouse.insertTsv(REJECTS, REJECT_COLUMNS, toReadable(text)));
    }
  };
  return {
    rememberLayout: async (layout) => waitOut('postgres', async () => rememberLogLayout(postgres, layout), waiting),
    write: async (blocks, trace) => {
      const start = performance.now();
      const events = orderEvents(blocks.map((block) => block.events));
      await Promise.all([insertTruth(events), insertRejects(blocks)]);
      const stored = performance.now();
      await insertNative(MARKS, MARK_COLUMNS, toMarks(events, blocks[0]?.block ?? ''));
      events.giveBack();
      const marked = performance.now();
      await waitOut('postgres', async () => insertBlocks(postgres, blocks, trace), waiting);
      return {
        truthMs: Math.round(stored - start),
        dirtyMs: Math.round(marked - stored),
        recordMs: Math.round(performance.now() - marked),
      };
    },
  };
}

async function insertBlocks(
  postgres: Postgres<IngestTables>,
  blocks: readonly Block[],
  trace: string | undefined,
): Promise<void> {
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
        ...(trace === undefined ? {} : { trace }),
      })),
    )
    .onConflict((conflict) => conflict.column('block').doNothing())
    .execute();
}

function toReadable(bytes: Buffer): Readable {
  return Readable.from([bytes], { objectMode: false });
}
