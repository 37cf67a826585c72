// The rollup worker: wakes every second, works its list off, sleeps. Any number may run; see rollup.ts for why two at
// the same window do no harm.

import { ROLLUP_QUEUE, ROLLUP_TICK_MS } from '../domain/contracts/jobs.ts';
import { createClickHouse } from '../platform/clickhouse.ts';
import { parseEnv } from '../platform/env.ts';
import { createLog } from '../platform/log.ts';
import { migrate } from '../platform/migrate.ts';
import { createPostgres } from '../platform/postgres.ts';
import { startAlarm } from '../platform/queue.ts';
import { retryUnavailable } from '../platform/retry.ts';
import { installShutdown } from '../platform/shutdown.ts';
import { rollUpPending } from './rollup.ts';
import type { AggregateTables } from './tables.ts';

const env = parseEnv(process.env);
const log = createLog('aggregate', env.TRUEUP_LOG_LEVEL);
const shutdown = installShutdown(log);

await retryUnavailable(
  async () =>
    migrate({
      postgresUrl: env.TRUEUP_POSTGRES_URL,
      clickhouseUrl: env.TRUEUP_CLICKHOUSE_URL,
      clickhouseDatabase: env.TRUEUP_CLICKHOUSE_DATABASE,
    }),
  { signal: shutdown.signal, onRetry: (error) => log.warn({ error: String(error) }, 'waiting for the databases') },
);

const clickhouse = createClickHouse({ url: env.TRUEUP_CLICKHOUSE_URL, database: env.TRUEUP_CLICKHOUSE_DATABASE });
shutdown.onStop('clickhouse', async () => clickhouse.close());
const db = createPostgres<AggregateTables>(env.TRUEUP_POSTGRES_URL);
shutdown.onStop('postgres', async () => db.destroy());

async function workOff(): Promise<void> {
  while (!shutdown.signal.aborted) {
    const startedAt = performance.now();
    const pass = await rollUpPending({ clickhouse, db });
    if (pass.blocks === 0) return;
    log.info({ ...pass, ms: Math.round(performance.now() - startedAt) }, 'rolled up');
  }
}

const alarm = startAlarm({
  redisUrl: env.TRUEUP_REDIS_URL,
  queue: `${ROLLUP_QUEUE}-${env.TRUEUP_CLICKHOUSE_DATABASE}`,
  everyMs: ROLLUP_TICK_MS,
  log,
  work: workOff,
});
shutdown.onStop('alarm', async () => alarm.close());
log.info({ everyMs: ROLLUP_TICK_MS }, 'rollup worker is running');
