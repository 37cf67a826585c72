// The rollup worker: wakes every second, works its list off, sleeps. Any number may run; see rollup.ts for why two at
// the same window do no harm.

import { setTimeout as delay } from 'node:timers/promises';
import { ROLLUP_QUEUE, ROLLUP_TICK_MS, TENANT_USAGE_EVERY_MS } from '../domain/contracts/jobs.ts';
import { createClock, type BusinessClockTables } from '../platform/clock.ts';
import { createStandstillCheck } from '../platform/health.ts';
import { startAlarm } from '../platform/queue.ts';
import { startStage } from '../platform/stage.ts';
import { RollupWorker } from './rollup-worker.ts';
import type { AggregateTables } from './tables.ts';
import { createTenantUsage } from './tenant-usage.ts';
import { fetchWorkList } from './work-list.ts';

const { env, log, shutdown, metrics, health, tracing, clickhouse, openPostgres } = await startStage(
  'aggregate',
  process.env,
);
const db = openPostgres<AggregateTables>(8);
const clock = createClock(env.TRUEUP_CLOCK, openPostgres<BusinessClockTables>(1));
const tenantUsage = createTenantUsage({ clickhouse, metrics, now: async () => clock.now() });
/**
 * From the beginning of one pass to that of the next. A pass costs by the namespaces it touches, hardly by the events they
 * sent, so under load fewer passes leave more of the machine to the sink.
 */
const PASS_EVERY_MS = 800;
const busyNamespaces = env.TRUEUP_BUSY_NAMESPACES;
const rollup = new RollupWorker({ clickhouse, db, tracing, busyNamespaces }, () => performance.now());
let lookedAt = Number.NEGATIVE_INFINITY;

async function workOff(): Promise<void> {
  while (!shutdown.signal.aborted) {
    const startedAt = performance.now();
    const pass = await rollup.pass().catch((error: unknown) => {
      metrics.count('trueup_aggregate_passes_total', { outcome: 'failed' });
      throw error;
    });
    if (pass.blocks === 0) break;
    const ms = Math.round(performance.now() - startedAt);
    metrics.count('trueup_aggregate_passes_total', { outcome: 'done' });
    metrics.record('trueup_aggregate_pass_seconds', {}, ms / 1_000);
    metrics.count('trueup_aggregate_blocks_total', {}, pass.blocks);
    log.info({ ...pass, ms }, 'rolled up');
    await delay(Math.max(0, PASS_EVERY_MS - ms), undefined, { signal: shutdown.signal }).catch(() => undefined);
  }
  // After the work list, so that a busy worker's metrics wait and its rollups don't.
  if (performance.now() - lookedAt < TENANT_USAGE_EVERY_MS) return;
  lookedAt = performance.now();
  await tenantUsage.look();
}

health.add(
  'rollup',
  createStandstillCheck({
    what: 'stored blocks',
    limitMs: env.TRUEUP_STANDSTILL_SECONDS * 1_000,
    fetch: async () => fetchWorkList(db),
  }),
);
const alarm = startAlarm({
  redisUrl: env.TRUEUP_REDIS_URL,
  queue: `${ROLLUP_QUEUE}-${env.TRUEUP_CLICKHOUSE_DATABASE}`,
  everyMs: ROLLUP_TICK_MS,
  log,
  work: workOff,
});
shutdown.onStop('alarm', async () => alarm.close());
log.info({ everyMs: ROLLUP_TICK_MS }, 'rollup worker is running');
