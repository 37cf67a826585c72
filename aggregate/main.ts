// The rollup worker: for each shard it owns it wakes every second, works its list off, sleeps. Any number may run: they
// share the shards (shards.ts), one without any is a spare; see rollup.ts for why two at the same window do no harm.

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { ROLLUP_QUEUE, ROLLUP_TICK_MS, TENANT_USAGE_EVERY_MS } from '../domain/contracts/jobs.ts';
import { toIso } from '../domain/period.ts';
import { createClock, type BusinessClockTables } from '../platform/clock.ts';
import { createStandstillCheck } from '../platform/health.ts';
import { startAlarm } from '../platform/queue.ts';
import { retryUnavailable } from '../platform/retry.ts';
import { exitIfRefused, startStage } from '../platform/stage.ts';
import { keepShards, type ShardWork } from './keep-shards.ts';
import { RollupWorker, type RollupWorkerDeps } from './rollup-worker.ts';
import { openShardLeases } from './shard-leases.ts';
import type { Shard } from './shards.ts';
import type { AggregateTables } from './tables.ts';
import { fetchPins } from './tenant-pins.ts';
import { createTenantUsage, startLooks } from './tenant-usage.ts';
import { fetchWorkList } from './work-list.ts';

const { env, log, shutdown, metrics, health, tracing, clickhouse, openPostgres } = await startStage(
  'aggregate',
  process.env,
);
const db = openPostgres<AggregateTables>(8);
const clock = createClock(env.TRUEUP_CLOCK, openPostgres<BusinessClockTables>(1));
const tenantUsage = createTenantUsage({
  clickhouse,
  metrics,
  log,
  now: async () => clock.now(),
  machineNowMs: () => performance.now(),
  fetchPinned: async () => (await fetchPins(db)).map(({ account }) => account),
});
/**
 * From the beginning of one pass to that of the next. A pass costs by the namespaces it touches, hardly by the events they
 * sent, so under load fewer passes leave more of the machine to the sink.
 */
const PASS_EVERY_MS = 800;
const busyNamespaces = env.TRUEUP_BUSY_NAMESPACES;

function startShard(shard: Shard): ShardWork {
  const lost = new AbortController();
  const signal = AbortSignal.any([lost.signal, shutdown.signal]);
  const onCorrected: RollupWorkerDeps['onCorrected'] = ({ minute, namespaces }) =>
    log.warn(
      { minute: toIso(minute * 1_000), namespaces: namespaces.slice(0, 10), count: namespaces.length },
      'corrected',
    );
  const deps = { clickhouse, db, tracing, shard, busyNamespaces, onCorrected };
  const rollup = new RollupWorker(deps, () => performance.now());
  const workOff = async () => {
    while (!signal.aborted) {
      const startedAt = performance.now();
      const pass = await rollup.pass().catch((error: unknown) => {
        metrics.count('trueup_aggregate_passes_total', { outcome: 'failed' });
        // A refusal is about the stores: the next start looks at them again and says what to do.
        return exitIfRefused(error);
      });
      if (pass.blocks === 0) break;
      const ms = Math.round(performance.now() - startedAt);
      metrics.count('trueup_aggregate_passes_total', { outcome: 'done' });
      metrics.record('trueup_aggregate_pass_seconds', {}, ms / 1_000);
      // All shards finish the same blocks.
      if (shard.shard === 0) metrics.count('trueup_aggregate_blocks_total', {}, pass.finished);
      log.info({ ...pass, shard: shard.shard, ms }, 'rolled up');
      await delay(Math.max(0, PASS_EVERY_MS - ms), undefined, { signal }).catch(() => undefined);
    }
  };
  const queue = `${ROLLUP_QUEUE}-${env.TRUEUP_CLICKHOUSE_DATABASE}-${shard.shard}`;
  const alarm = startAlarm({ redisUrl: env.TRUEUP_REDIS_URL, queue, everyMs: ROLLUP_TICK_MS, log, work: workOff });
  return {
    stop: async () => {
      lost.abort();
      await alarm.close();
    },
  };
}

health.add(
  'rollup',
  createStandstillCheck({
    what: 'stored blocks',
    limitMs: env.TRUEUP_STANDSTILL_SECONDS * 1_000,
    fetch: async () => fetchWorkList(db),
  }),
);
const me = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
const open = async () => openShardLeases(db, { me, shards: env.TRUEUP_ROLLUP_SHARDS });
const leases = await retryUnavailable(open, { signal: shutdown.signal });
const shards = keepShards({ leases, start: startShard, everyMs: ROLLUP_TICK_MS, log });
shutdown.onStop('shards', async () => shards.close());
// Beside the work list, which a steady load never lets end; by one process, or the sum over them would be a multiple.
const isMine = () => shards.owned().has(0);
const looks = startLooks({ usage: tenantUsage, everyMs: TENANT_USAGE_EVERY_MS, isMine, log });
shutdown.onStop('tenant usage', async () => looks.close());
log.info({ everyMs: ROLLUP_TICK_MS }, 'rollup worker is running');
