// The continuous proof as a process: every few minutes one run (run.ts), findings to Postgres and to the log. Any number
// may run; sights close together count as one. When it dies, the next start looks again.

import { parseEnv } from '../../platform/env.ts';
import { createClickHouse } from '../../platform/clickhouse.ts';
import { createClock, type BusinessClockTables } from '../../platform/clock.ts';
import { createKafka } from '../../platform/kafka.ts';
import { createLog } from '../../platform/log.ts';
import { migrate } from '../../platform/migrate.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { startAlarm } from '../../platform/queue.ts';
import { retryUnavailable } from '../../platform/retry.ts';
import { installShutdown } from '../../platform/shutdown.ts';
import type { AggregateTables } from '../tables.ts';
import { FINDING_RULES } from './kinds.ts';
import { runIntegrity } from './run.ts';

const QUEUE = 'trueup-integrity';
/** Often enough to see a finding twice before an hour is over, seldom enough to cost nothing. Machine time. */
const TICK_MS = 5 * 60_000;

const env = parseEnv(process.env);
const log = createLog('integrity', env.TRUEUP_LOG_LEVEL);
const shutdown = installShutdown(log);
const databases = {
  postgresUrl: env.TRUEUP_POSTGRES_URL,
  clickhouseUrl: env.TRUEUP_CLICKHOUSE_URL,
  clickhouseDatabase: env.TRUEUP_CLICKHOUSE_DATABASE,
};
await retryUnavailable(async () => migrate(databases), {
  signal: shutdown.signal,
  onRetry: (error) => log.warn({ error: String(error) }, 'waiting for the databases'),
});

const clickhouse = createClickHouse({ url: databases.clickhouseUrl, database: databases.clickhouseDatabase });
shutdown.onStop('clickhouse', async () => clickhouse.close());
const db = createPostgres<AggregateTables>(databases.postgresUrl);
shutdown.onStop('postgres', async () => db.destroy());
const clockDb = createPostgres<BusinessClockTables>(databases.postgresUrl, 1);
shutdown.onStop('clock', async () => clockDb.destroy());
const kafka = createKafka({ brokers: env.TRUEUP_KAFKA_BROKERS, clientId: 'trueup-integrity', log });
shutdown.onStop('kafka', async () => kafka.close());
const clock = createClock(env.TRUEUP_CLOCK, clockDb);
const topic = env.TRUEUP_TOPIC;
const deps = { clickhouse, db, topic, fetchEndOffsets: async () => kafka.fetchEndOffsets(topic) };

async function look(): Promise<void> {
  const startedAt = performance.now();
  const { findings, failed } = await runIntegrity(deps, { nowMs: await clock.now() });
  for (const { kind, key, seen, evidence } of findings.filter(({ state }) => state === 'OPEN')) {
    const { meaning, next } = FINDING_RULES[kind];
    log.error({ kind, key, seen, evidence, meaning, next }, 'integrity finding');
  }
  const counts = { open: findings.filter(({ state }) => state === 'OPEN').length, standing: findings.length };
  log.info({ ...counts, failed, ms: Math.round(performance.now() - startedAt) }, 'integrity run');
}

const queue = `${QUEUE}-${databases.clickhouseDatabase}`;
const alarm = startAlarm({ redisUrl: env.TRUEUP_REDIS_URL, queue, everyMs: TICK_MS, log, work: look });
shutdown.onStop('alarm', async () => alarm.close());
log.info({ everyMs: TICK_MS }, 'integrity job is running');
