// For integration tests: a topic, databases and sinks of their own on the servers of the test stack.

import { identityKey } from '../../domain/event.ts';
import { createKafka, type Kafka, type OutgoingRecord } from '../../platform/kafka.ts';
import { createLog } from '../../platform/log.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createPostgres, type Postgres } from '../../platform/postgres.ts';
import { retryUnavailable } from '../../platform/retry.ts';
import { NO_TRACING, type Tracing } from '../../platform/tracing.ts';
import { createFreshDatabases, type FreshDatabases } from '../../platform/testing/fresh-databases.ts';
import { eventually } from '../../stack/testing/eventually.ts';
import { NO_CASES, type CaseKeys } from '../case.ts';
import { createManifestSink } from '../manifests.ts';
import { createSink, sinkGroupOf, type Sink } from '../sink.ts';
import { createBlockStore } from '../store.ts';
import type { IngestTables } from '../tables.ts';

export type BlockRow = { block: string; partition: number; first_offset: string; end_offset: string; messages: number };

export type IngestBench = {
  readonly topic: string;
  readonly kafka: Kafka;
  readonly databases: FreshDatabases;
  /** For a process that works on this bench. */
  readonly variables: Readonly<Record<string, string>>;
  send(records: readonly OutgoingRecord[]): Promise<void>;
  startSink(tracing?: Tracing, cases?: CaseKeys): Promise<Sink>;
  /** Reads the bench's own topic unless another one is named. */
  startManifestSink(topic?: string): Promise<void>;
  /** Stops every sink that runs. */
  stopSink(): Promise<void>;
  /** The next sink starts at offset 0. */
  rewindGroup(): Promise<void>;
  /** Resolves when blocks reach the end of every partition without a gap. */
  untilCaughtUp(withinMs?: number): Promise<void>;
  fetchBlocks(): Promise<BlockRow[]>;
  /** What counts: after replacement. */
  fetchTotals(): Promise<{ events: string; quantity: string }>;
  countRejects(): Promise<number>;
  close(): Promise<void>;
};

export type UsageSpec = {
  readonly atMs: number;
  readonly id?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
};

/** A good event of quantity 1, unless `attributes` spoil it; its key is its identity either way. */
export function usageRecord(n: number, { atMs, id = `e-${n}`, attributes = {} }: UsageSpec): OutgoingRecord {
  const subject = `ns${n % 7}.acme`;
  const good = {
    specversion: '1.0',
    id,
    source: '/cell/1',
    type: 'query',
    subject,
    time: new Date(atMs).toISOString(),
  };
  const event = { ...good, ...attributes };
  return { key: identityKey(event), value: JSON.stringify(event), timestampMs: atMs + 500 };
}

export async function createIngestBench(label: string, partitions: number): Promise<IngestBench> {
  const { TRUEUP_KAFKA_BROKERS: brokers } = process.env;
  if (brokers === undefined) throw new Error('the test stack is not up: run integration tests with npm run test:it');
  const databases = await createFreshDatabases(label);
  const topic = `usage.${databases.name}`;
  const log = createLog('ingest-test', process.env['TRUEUP_TEST_LOG'] ?? 'silent');
  const kafka = createKafka({ brokers, clientId: `test-${label}`, log });
  // A broker that many tests create topics at answers now and then that it does not know the new one yet.
  await retryUnavailable(async () => kafka.createTopic(topic, { partitions, config: { 'retention.ms': '-1' } }));
  const producer = await kafka.createProducer();
  const db = createPostgres<IngestTables>(databases.postgresUrl);
  return new Bench(
    { topic, kafka, databases, log, db, send: async (records) => producer.send(topic, records) },
    async () => {
      await producer.close();
      await kafka.close();
      await db.destroy();
      await databases.close();
    },
  );
}

type Parts = Pick<IngestBench, 'topic' | 'kafka' | 'databases' | 'send'> & {
  readonly log: ReturnType<typeof createLog>;
  readonly db: Postgres<IngestTables>;
};

class Bench implements IngestBench {
  readonly topic: string;
  readonly kafka: Kafka;
  readonly databases: FreshDatabases;
  readonly variables: IngestBench['variables'];
  readonly send: IngestBench['send'];
  private readonly parts: Parts;
  private readonly closeClients: () => Promise<void>;
  private readonly stopping = new AbortController();
  private sinks: Sink[] = [];

  constructor(parts: Parts, closeClients: () => Promise<void>) {
    this.topic = parts.topic;
    this.kafka = parts.kafka;
    this.databases = parts.databases;
    this.variables = {
      ...parts.databases.variables,
      TRUEUP_TOPIC: parts.topic,
      TRUEUP_MANIFEST_TOPIC: `${parts.topic}.manifests`,
    };
    this.send = parts.send;
    this.parts = parts;
    this.closeClients = closeClients;
  }

  async startSink(tracing = NO_TRACING, cases = NO_CASES): Promise<Sink> {
    const { kafka, topic, databases, db, log } = this.parts;
    const metrics = createMetrics();
    const store = createBlockStore(databases.clickhouse, db, { signal: this.stopping.signal, log, metrics });
    const sink = createSink({ kafka, store, topic, log, metrics, tracing, cases });
    await retryUnavailable(async () => sink.start());
    this.sinks.push(sink);
    return sink;
  }

  async startManifestSink(topic = this.topic): Promise<void> {
    const { kafka, databases, log } = this.parts;
    const waiting = { signal: this.stopping.signal, log, metrics: createMetrics() };
    const sink = createManifestSink({ kafka, topic, clickhouse: databases.clickhouse, waiting });
    await sink.start();
    this.sinks.push(sink);
  }

  async stopSink(): Promise<void> {
    await Promise.all(this.sinks.map(async (sink) => sink.stop()));
    this.sinks = [];
  }

  async rewindGroup(): Promise<void> {
    await this.kafka.rewindGroup(sinkGroupOf(this.topic), this.topic);
  }

  async untilCaughtUp(withinMs = 30_000): Promise<void> {
    const ends = await this.kafka.fetchEndOffsets(this.topic);
    await eventually(withinMs, async () => {
      const blocks = await this.fetchBlocks();
      const behind = ends.filter((end, partition) => {
        let position = 0n;
        for (const block of blocks.filter((one) => one.partition === partition)) {
          const isNext = BigInt(block.first_offset) <= position && BigInt(block.end_offset) > position;
          if (isNext) position = BigInt(block.end_offset);
        }
        return position < end;
      });
      if (behind.length > 0)
        throw new Error(`${behind.length} partitions of ${this.topic} are not stored to their ends`);
      return true;
    });
  }

  async fetchBlocks(): Promise<BlockRow[]> {
    return this.parts.db
      .selectFrom('ingest_blocks')
      .select(['block', 'partition', 'first_offset', 'end_offset', 'messages'])
      .orderBy('seq')
      .execute();
  }

  async fetchTotals(): Promise<{ events: string; quantity: string }> {
    const rows = await this.databases.clickhouse.query<{ events: string; quantity: string }>(
      'SELECT count() AS events, toString(sum(quantity)) AS quantity FROM usage_events_v1 FINAL',
    );
    return rows[0] ?? { events: 'none', quantity: 'none' };
  }

  async countRejects(): Promise<number> {
    const rows = await this.databases.clickhouse.query<{ count: string }>(
      'SELECT count() AS count FROM usage_rejected_v1 FINAL',
    );
    return Number(rows[0]?.count);
  }

  async close(): Promise<void> {
    this.stopping.abort();
    await this.stopSink();
    await this.closeClients();
  }
}
