// What commands about usage open: the stores and the log, and how long to keep them.

import type { CloseDeps } from '../aggregate/close.ts';
import type { AccountTables } from '../accounts/tables.ts';
import type { AggregateTables } from '../aggregate/tables.ts';
import { fetchDatabaseNowMs } from '../aggregate/usage.ts';
import type { IngestTables } from '../ingest/tables.ts';
import { createClickHouse } from '../platform/clickhouse.ts';
import { createClock, type BusinessClockTables } from '../platform/clock.ts';
import { createKafka, type Kafka } from '../platform/kafka.ts';
import { createLog } from '../platform/log.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import type { ProcessTables } from '../platform/process-registry.ts';
import type { ReconcileTables } from '../reconcile/door.ts';
import type { CommandContext } from './command.ts';

export type StoreTables = AccountTables &
  AggregateTables &
  IngestTables &
  BusinessClockTables &
  ProcessTables &
  ReconcileTables;

export type Stores = {
  readonly deps: CloseDeps;
  readonly db: Postgres<StoreTables>;
  readonly kafka: Kafka;
  readonly topic: string;
  readonly manifestTopic: string;
  /** Business time. */
  readonly nowMs: number;
};

/** Opens, works, closes, whatever comes of it. */
export async function withStores<T>(context: CommandContext, work: (stores: Stores) => Promise<T>): Promise<T> {
  const env = context.env(
    'TRUEUP_KAFKA_BROKERS',
    'TRUEUP_CLICKHOUSE_URL',
    'TRUEUP_CLICKHOUSE_DATABASE',
    'TRUEUP_POSTGRES_URL',
    'TRUEUP_TOPIC',
    'TRUEUP_MANIFEST_TOPIC',
    'TRUEUP_CLOCK',
  );
  const topic = env.TRUEUP_TOPIC;
  const clickhouse = createClickHouse({ url: env.TRUEUP_CLICKHOUSE_URL, database: env.TRUEUP_CLICKHOUSE_DATABASE });
  const db = createPostgres<StoreTables>(env.TRUEUP_POSTGRES_URL);
  const kafka = createKafka({ brokers: env.TRUEUP_KAFKA_BROKERS, clientId: 'trueup', log: createLog('cli', 'silent') });
  const deps: CloseDeps = {
    clickhouse,
    db,
    topic,
    fetchEndOffsets: async () => kafka.fetchEndOffsets(topic),
    ...(env.TRUEUP_CLOCK === 'wall' ? { fetchWitnessMs: async () => fetchDatabaseNowMs(db) } : {}),
  };
  try {
    const clock = createClock(env.TRUEUP_CLOCK, db);
    const manifestTopic = env.TRUEUP_MANIFEST_TOPIC;
    return await work({ deps, db, kafka, topic, manifestTopic, nowMs: await clock.now() });
  } finally {
    await Promise.allSettled([clickhouse.close(), db.destroy(), kafka.close()]);
  }
}
