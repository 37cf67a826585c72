// A database counts one log. Another topic, or a topic that grew, is refused by whoever would make numbers of it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { takeBarrier } from '../aggregate/close.ts';
import type { AggregateTables } from '../aggregate/tables.ts';
import { parsePeriod } from '../domain/period.ts';
import type { OutgoingRecord } from '../platform/kafka.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { createSink, type Sink, type SinkOptions } from './sink.ts';
import { createBlockStore } from './store.ts';
import type { IngestTables } from './tables.ts';
import { createIngestBench, usageRecord, type IngestBench } from './testing/bench.ts';

const BASE_MS = Date.UTC(2026, 9, 3, 12);
const PARTITIONS = 2;
const REFUSED = { kind: 'bug', code: 'LOG_LAYOUT_CHANGED' };
const MAINS = {
  sink: new URL('./main.ts', import.meta.url).pathname,
  'integrity job': new URL('../aggregate/integrity/main.ts', import.meta.url).pathname,
};

let bench: IngestBench;
let db: Postgres<AggregateTables & IngestTables>;
const stopping = new AbortController();

beforeEach(async () => {
  bench = await createIngestBench('layout', PARTITIONS);
  db = createPostgres(bench.databases.postgresUrl, 2);
});
afterEach(async () => {
  await db.destroy();
  await bench.close();
});

function openSink(options: Partial<SinkOptions> = {}): Sink {
  const [log, metrics] = [createLog('test', 'silent'), createMetrics()];
  const store = createBlockStore(bench.databases.clickhouse, db, { signal: stopping.signal, log, metrics });
  return createSink({ kafka: bench.kafka, store, topic: bench.topic, log, metrics, ...options });
}

const records = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => usageRecord(from + n, { atMs: BASE_MS + n * 1_000 }));

/** Into one partition, whatever its key says. */
async function sendTo(partition: number, [record]: readonly OutgoingRecord[]): Promise<void> {
  await withKafkaJs(async (kafka) => {
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const { key = null, value = null } = record ?? {};
    await producer.send({
      topic: bench.topic,
      messages: [{ partition, key, value, timestamp: String(record?.timestampMs) }],
    });
    await producer.disconnect();
  });
}

async function grow(partitions: number): Promise<void> {
  await withKafkaJs(async (kafka) => {
    const admin = kafka.admin();
    await admin.connect();
    await admin.createPartitions({ topicPartitions: [{ topic: bench.topic, count: partitions }] });
    await admin.disconnect();
  });
}

async function withKafkaJs(work: (kafka: KafkaJs) => Promise<void>): Promise<void> {
  const brokers = (process.env['TRUEUP_KAFKA_BROKERS'] ?? '').split(',');
  await work(new KafkaJs({ brokers, clientId: 'operator', logLevel: logLevel.NOTHING }));
}

async function fetchPartitionsStored(): Promise<number[]> {
  const rows = await bench.databases.clickhouse.query<{ partition: number }>(
    'SELECT DISTINCT kafka_partition AS partition FROM usage_events_v1 ORDER BY partition',
  );
  const blocks = await bench.fetchBlocks();
  return [...new Set([...rows, ...blocks].map(({ partition }) => partition))].toSorted((a, b) => a - b);
}

/** What a process of the product says and how it ends. */
async function run(main: string, variables: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ...bench.variables,
      TRUEUP_LOG_LEVEL: 'silent',
      ...variables,
    },
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code: code as number | null, said };
}

test('the first sink remembers its log, and whoever starts on it later goes on', async () => {
  await bench.startSink();
  await bench.startSink();
  await bench.send(records(20));
  // The first group of a broker that has just started may take its time.
  await bench.untilCaughtUp(60_000);
  await bench.stopSink();
  await bench.startSink();
  await bench.send(records(20, 20));
  await bench.untilCaughtUp();
  expect((await bench.fetchTotals()).events).toBe('40');
  const { rows } = await sql`SELECT topic, partitions FROM log_layout`.execute(db);
  expect(rows).toEqual([{ topic: bench.topic, partitions: PARTITIONS }]);
}, 120_000);

describe('another topic', () => {
  test('is refused by a sink before it reads anything, by a barrier, and by every stage at its start', async () => {
    await bench.startSink();
    await bench.send(records(20));
    await bench.untilCaughtUp();
    await bench.stopSink();
    const other = `${bench.topic}.new`;
    await bench.kafka.createTopic(other, { partitions: PARTITIONS });
    await expect(openSink({ topic: other }).start()).rejects.toMatchObject(REFUSED);
    const deps = { clickhouse: bench.databases.clickhouse, db };
    const fetchEndOffsets = async () => bench.kafka.fetchEndOffsets(other);
    const barrier = takeBarrier(
      { ...deps, topic: other, fetchEndOffsets },
      parsePeriod('2026-10'),
      Date.UTC(2026, 10, 5),
    );
    await expect(barrier).rejects.toMatchObject(REFUSED);
    expect(await db.selectFrom('periods').select('key').execute()).toEqual([]);
    for (const main of Object.values(MAINS)) {
      const { code, said } = await run(main, { TRUEUP_TOPIC: other });
      expect({ code, said }).toEqual({
        code: 2,
        said: expect.stringContaining(`this database counts ${bench.topic} with 2`),
      });
    }
  });

  test('is refused too where blocks were stored before logs were remembered', async () => {
    await bench.startSink();
    await bench.send(records(20));
    await bench.untilCaughtUp();
    await bench.stopSink();
    await sql`DELETE FROM log_layout`.execute(db);
    await sql`UPDATE ingest_blocks SET topic = 'old'`.execute(db);
    await expect(openSink().start()).rejects.toThrow('holds blocks of another log');
    await sql`UPDATE ingest_blocks SET topic = ${bench.topic}`.execute(db);
    await bench.startSink();
  });
});

describe('a topic that grew in place', () => {
  test('ends the sink that runs, which stores nothing of the new partitions, and is refused from then on', async () => {
    const sink = await bench.startSink();
    await bench.send(records(40));
    await bench.untilCaughtUp();
    await grow(PARTITIONS + 2);
    await sendTo(PARTITIONS + 1, records(1, 40));
    await expect(sink.failed).rejects.toMatchObject(REFUSED);
    await bench.stopSink();
    expect(await fetchPartitionsStored()).toEqual([0, 1]);
    await expect(openSink().start()).rejects.toMatchObject(REFUSED);
    for (const main of Object.values(MAINS)) {
      const { code, said } = await run(main);
      expect({ code, said }).toEqual({
        code: 2,
        said: expect.stringContaining(`${bench.topic} with 4 partitions, but`),
      });
    }
    const deps = { clickhouse: bench.databases.clickhouse, db, topic: bench.topic };
    const fetchEndOffsets = async () => Promise.resolve([20n, 20n, 0n, 1n]);
    const barrier = takeBarrier({ ...deps, fetchEndOffsets }, parsePeriod('2026-10'), Date.UTC(2026, 10, 5));
    await expect(barrier).rejects.toMatchObject(REFUSED);
  }, 120_000);

  test('is not stored from where a sink was never told of, however it came to read there', async () => {
    // The brokers' first answer was old; what Kafka hands out is not.
    const kafka = { ...bench.kafka, fetchPartitionCount: async () => Promise.resolve(PARTITIONS - 1) };
    const sink = openSink({ kafka });
    await sendTo(PARTITIONS - 1, records(1));
    await sink.start();
    await expect(sink.failed).rejects.toMatchObject(REFUSED);
    await sink.stop();
    expect(await fetchPartitionsStored()).toEqual([]);
  });
});
