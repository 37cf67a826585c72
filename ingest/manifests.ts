// Manifests say what each source produced per usage hour; they are stored as they come, the highest revision holds.
// One that can't be read is counted and logged with its coordinates, and reading goes on: a missing manifest is a finding
// of the reconciliation, never a reason to stop usage.
// When it dies: the group resumes at the last commit; a manifest written twice replaces itself.

import { TrueupError } from '../domain/contracts/errors.ts';
import { CLICKHOUSE_TABLES } from '../domain/contracts/tables.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import type { FetchedBatch, Kafka } from '../platform/kafka.ts';
import type { Sink } from './sink.ts';
import { escapeTsv } from './block.ts';
import { validateManifest } from './validate-manifest.ts';
import { waitOut, type Waiting } from './wait-out.ts';

const COLUMNS = ['source', 'hour', 'revision', 'events', 'quantity'];

export type ManifestSinkOptions = {
  readonly kafka: Kafka;
  readonly clickhouse: ClickHouse;
  readonly topic: string;
  readonly waiting: Waiting;
};

export function manifestGroupOf(topic: string): string {
  return `trueup-manifests-${topic}`;
}

export function createManifestSink({ kafka, clickhouse, topic, waiting }: ManifestSinkOptions): Sink {
  let fail: (error: unknown) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const insert = async (rows: string) => {
    try {
      await clickhouse.insertTsv(CLICKHOUSE_TABLES.usageManifests, COLUMNS, rows);
    } catch (error) {
      // kafkajs would deliver the batch again for ever; a statement that can't work is for people to see.
      if (!(error instanceof TrueupError && error.retryable)) fail(error);
      throw error;
    }
  };
  const consumer = kafka.createConsumer({
    topic,
    groupId: manifestGroupOf(topic),
    onBatch: async (batch, keepAlive) => {
      const rows = readManifests(batch, waiting);
      if (rows !== '') {
        const attempt = async () => {
          await keepAlive();
          await insert(rows);
        };
        await waitOut('clickhouse', attempt, waiting);
      }
      if (!batch.isCurrent()) return false;
      await consumer.commit(new Map([[batch.partition, batch.endOffset]]));
      return true;
    },
  });
  const failed = Promise.race([broken, consumer.failed]);
  failed.catch(() => undefined);
  return { start: async () => consumer.start(), failed, stop: async () => consumer.stop() };
}

function readManifests({ partition, records }: FetchedBatch, { log, metrics }: Waiting): string {
  let rows = '';
  for (const { value, offset } of records) {
    const verdict = validateManifest(value);
    if (verdict.accepted) {
      const { source, hourAtMs, revision, events, quantity } = verdict.manifest;
      rows += `${escapeTsv(source)}\t${hourAtMs / 1000}\t${revision}\t${events}\t${quantity}\n`;
      metrics.count('trueup_ingest_manifests_total', { outcome: 'stored' });
    } else {
      const { code, field } = verdict;
      log.warn({ partition, offset, code, field }, 'a manifest can not be read');
      metrics.count('trueup_ingest_manifests_total', { outcome: 'unreadable' });
    }
  }
  return rows;
}
