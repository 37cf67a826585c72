// The continuous proof as a process: every few minutes one run (run.ts), findings to Postgres and to the log. Any number
// may run; sights close together count as one. Each run also joins old blocks of the log (block-joins.ts). When it dies, the
// next start looks again.

import { TrueupError } from '../../domain/contracts/errors.ts';
import { INTEGRITY_QUEUE, INTEGRITY_TICK_MS } from '../../domain/contracts/jobs.ts';
import { createClock, type BusinessClockTables } from '../../platform/clock.ts';
import { createKafka } from '../../platform/kafka.ts';
import { startAlarm } from '../../platform/queue.ts';
import { checkLogLayout } from '../../platform/log-layout.ts';
import { exitIfRefused, startStage } from '../../platform/stage.ts';
import { joinBlocks } from '../block-joins.ts';
import type { AggregateTables } from '../tables.ts';
import { FINDING_RULES } from '../../domain/contracts/integrity-findings.ts';
import { runIntegrity } from './run.ts';

const { env, log, shutdown, metrics, clickhouse, openPostgres } = await startStage('integrity', process.env);
const db = openPostgres<AggregateTables>(8);
const clock = createClock(env.TRUEUP_CLOCK, openPostgres<BusinessClockTables>(1));
const kafka = createKafka({ brokers: env.TRUEUP_KAFKA_BROKERS, clientId: 'trueup-integrity', log });
shutdown.onStop('kafka', async () => kafka.close());
const topic = env.TRUEUP_TOPIC;
const deps = { clickhouse, db, topic, fetchEndOffsets: async () => kafka.fetchEndOffsets(topic) };

/** Ends the process when the topic is not the log that this database counts. */
async function checkLayout(): Promise<void> {
  try {
    await checkLogLayout(db, { topic, partitions: await kafka.fetchPartitionCount(topic) });
  } catch (error) {
    if (!(error instanceof TrueupError) || !error.retryable) exitIfRefused(error);
    // The checks themselves need no broker.
    log.warn({ topic, error: String(error) }, 'could not ask how many partitions the topic has');
  }
}

async function look(): Promise<void> {
  await checkLayout();
  const startedAt = performance.now();
  const { findings, checks, failed } = await runIntegrity(deps, { nowMs: await clock.now() });
  metrics.count('trueup_integrity_checks_total', { outcome: 'failed' }, failed.length);
  metrics.count('trueup_integrity_checks_total', { outcome: 'looked' }, checks.length - failed.length);
  metrics.record('trueup_integrity_run_seconds', {}, (performance.now() - startedAt) / 1_000);
  for (const { kind, key, seen, evidence } of findings.filter(({ state }) => state === 'OPEN')) {
    const { meaning, next } = FINDING_RULES[kind];
    log.error({ kind, key, seen, evidence, meaning, next }, 'integrity finding');
  }
  const counts = { open: findings.filter(({ state }) => state === 'OPEN').length, standing: findings.length };
  log.info({ ...counts, failed, ms: Math.round(performance.now() - startedAt) }, 'integrity run');
  const fewer = await joinBlocks(deps);
  if (fewer > 0) log.info({ fewer }, 'old blocks joined');
}

await checkLayout();
const queue = `${INTEGRITY_QUEUE}-${env.TRUEUP_CLICKHOUSE_DATABASE}`;
const alarm = startAlarm({ redisUrl: env.TRUEUP_REDIS_URL, queue, everyMs: INTEGRITY_TICK_MS, log, work: look });
shutdown.onStop('alarm', async () => alarm.close());
log.info({ everyMs: INTEGRITY_TICK_MS }, 'integrity job is running');
