// For integration tests of this room: databases of their own, a log that exists only as its end offsets, and copies
// stored as the sink would store them (truth, touched minutes, block record).

import { randomBytes } from 'node:crypto';
import { createPostgres, type Postgres } from '../../platform/postgres.ts';
import { createFreshDatabases, type FreshDatabases } from '../../platform/testing/fresh-databases.ts';
import type { CloseDeps } from '../close.ts';
import { rollUpAll } from './roll-up.ts';
import type { AggregateTables } from '../tables.ts';
import { createUsage, type Adjustments, type Usage } from '../usage.ts';

export type Copy = {
  readonly id: string;
  readonly at: string;
  readonly offset: number;
  readonly partition?: number;
  readonly type?: string;
  readonly quantity?: string;
  readonly namespace?: string;
  readonly source?: string;
  readonly voids?: string;
};

export type UsageBench = {
  readonly databases: FreshDatabases;
  readonly db: Postgres<AggregateTables>;
  readonly deps: CloseDeps;
  readonly usage: Usage & Adjustments;
  /** End offsets of the log; `store` raises them, a test may too. */
  readonly ends: bigint[];
  store(copies: readonly Copy[]): Promise<void>;
  rollUp(): Promise<void>;
  close(): Promise<void>;
};

const EVENT_COLUMNS = ['namespace', 'type', 'time', 'source', 'id', 'quantity', 'voids', 'generation'];
const COORDINATES = ['kafka_partition', 'kafka_offset', 'arrived_at'];
const MINUTE_S = 60;

type Stored = Required<Copy>;

export async function createUsageBench(label: string, partitions: number): Promise<UsageBench> {
  const databases = await createFreshDatabases(label);
  const db = createPostgres<AggregateTables>(databases.postgresUrl);
  const ends = Array.from({ length: partitions }, () => 0n);
  const deps: CloseDeps = {
    clickhouse: databases.clickhouse,
    db,
    topic: 'usage',
    fetchEndOffsets: () => Promise.resolve([...ends]),
  };
  return {
    databases,
    db,
    deps,
    ends,
    usage: createUsage(deps),
    store: async (copies) => {
      const rows = copies.map((copy) => ({ ...DEFAULTS, ...copy }));
      await insertTruth(deps, rows);
      for (const [partition, members] of Map.groupBy(rows, (row) => row.partition)) {
        const end = await insertBlock(deps, partition, members);
        if (end > (ends[partition] ?? 0n)) ends[partition] = end;
      }
    },
    rollUp: async () => {
      await rollUpAll(deps);
    },
    close: async () => {
      await db.destroy();
      await databases.close();
    },
  };
}

const DEFAULTS = {
  type: 'workflow_start',
  quantity: '1',
  namespace: 'pay.acme',
  source: '/cell',
  voids: '',
  partition: 0,
};

async function insertTruth({ clickhouse }: CloseDeps, rows: readonly Stored[]): Promise<void> {
  const lines = rows.map(({ namespace, type, at, source, id, quantity, voids, partition, offset }) => {
    const seconds = String(Date.parse(at) / 1000);
    return [namespace, type, seconds, source, id, quantity, voids, 0, partition, offset, seconds];
  });
  const text = lines.map((line) => `${line.join('\t')}\n`).join('');
  await clickhouse.insertTsv('usage_events_v1', [...EVENT_COLUMNS, ...COORDINATES], text);
}

async function insertBlock({ clickhouse, db, topic }: CloseDeps, partition: number, rows: readonly Stored[]) {
  const block = `b-${partition}-${randomBytes(4).toString('hex')}`;
  const marks = rows.map(({ namespace, at }) => {
    const minute = Math.floor(Date.parse(at) / 1000 / MINUTE_S) * MINUTE_S;
    return `${block}\t${namespace}\t${minute}\n`;
  });
  await clickhouse.insertTsv('usage_dirty_v1', ['block', 'namespace', 'minute'], marks.join(''));
  const offsets = rows.map(({ offset }) => offset);
  const end = Math.max(...offsets) + 1;
  const range = { first_offset: String(Math.min(...offsets)), end_offset: String(end) };
  const counts = { messages: rows.length, accepted: rows.length, rejected: 0, rolled_up_run: null };
  await db
    .insertInto('ingest_blocks')
    .values({ block, topic, partition, ...range, ...counts })
    .execute();
  return BigInt(end);
}
