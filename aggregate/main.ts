// The rollup worker: wakes every second, works its list off, sleeps. Any number may run; see rollup.ts for why two at
// the same window do no harm.

import { ROLLUP_QUEUE, ROLLUP_TICK_MS, TENANT_USAGE_EVERY_MS } from '../domain/contracts/jobs.ts';
import { createClock, type BusinessClockTables } from '../platform/clock.ts';
import { createMetrics } from '../platform/metrics.ts';
import { startAlarm } from '../platform/queue.ts';
import { startStage } from '../platform/stage.ts';
import { RollupWorker } from './rollup.ts';
import type { AggregateTables } from './tables.ts';
import { createTenantUsage } from './tenant-usage.ts';

const { env, log, shutdown, tracing, clickhouse, openPostgres } = await startStage('aggregate', process.env);
const db = openPostgres<AggregateTables>(8);
const clock = createClock(env.TRUEUP_CLOCK, openPostgres<BusinessClockTables>(1));
const tenantUsage = createTenantUsage({ clickhouse, metrics: createMetrics(), now: async () => clock.now() });
const rollup = new RollupWorker({ clickhouse, db, tracing }, () => performance.now());
let lookedAt = Number.NEGATIVE_INFINITY;

async function workOff(): Promise<void> {
  while (!shutdown.signal.aborted) {
    const startedAt = performance.now();
    const pass = await rollup.pass();
    if (pass.blocks === 0) break;
    log.info({ ...pass, ms: Math.round(performance.now() - startedAt) }, 'rolled up');
  }
  // After the work list, so that a busy worker's metrics wait and its rollups don't.
  if (performance.now() - lookedAt < TENANT_USAGE_EVERY_MS) return;
  lookedAt = performance.now();
  await tenantUsage.look();
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
