// The rollup worker: wakes every second, works its list off, sleeps. Any number may run; see rollup.ts for why two at
// the same window do no harm.

import { ROLLUP_QUEUE, ROLLUP_TICK_MS } from '../domain/contracts/jobs.ts';
import { startAlarm } from '../platform/queue.ts';
import { startStage } from '../platform/stage.ts';
import { rollUpPending } from './rollup.ts';
import type { AggregateTables } from './tables.ts';

const { env, log, shutdown, clickhouse, openPostgres } = await startStage('aggregate', process.env);
const db = openPostgres<AggregateTables>(8);

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
