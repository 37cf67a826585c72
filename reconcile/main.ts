// The reconciliation worker. Any number may run; Temporal hands each step to one of them, and a step that dies with its
// worker is run again by another.

import { createAccounts } from '../accounts/door.ts';
import { createUsage, fetchDatabaseNowMs, type UsageTables } from '../aggregate/usage.ts';
import { OUTBOX_STUCK_MS, WORKFLOW_STUCK_MS } from '../domain/contracts/jobs.ts';
import { createClock } from '../platform/clock.ts';
import { createKafka } from '../platform/kafka.ts';
import { startStage } from '../platform/stage.ts';
import { createLazyTemporal, createTemporal } from '../platform/temporal.ts';
import { connectWorker } from '../platform/temporal-worker.ts';
import { openPace } from './billing/shared-pace.ts';
import { createStripeBilling } from './billing/stripe.ts';
import { createWebhookSource } from './billing/stripe-webhooks.ts';
import { readCodeVersion } from './code-version.ts';
import { createOutboxCheck, createWorkflowsCheck } from './standing/checks.ts';
import { fetchOutbox } from './standing/outbox.ts';
import { fetchWorkflows } from './standing/running-workflows.ts';
import type { ReconcileTables } from './store/tables.ts';
import { startWebhooks } from './webhooks/start.ts';
import { createCloseWaker } from './webhooks/wake-close.ts';
import { ensureSchedules } from './door.ts';
import { createWorker } from './worker.ts';

const { env, log, shutdown, metrics, health, tracing, clickhouse, openPostgres } = await startStage(
  'reconcile',
  process.env,
);
const kafka = createKafka({ brokers: env.TRUEUP_KAFKA_BROKERS, clientId: 'trueup-reconcile', log });
shutdown.onStop('kafka', async () => kafka.close());

const temporal = { address: env.TRUEUP_TEMPORAL_ADDRESS, namespace: env.TRUEUP_TEMPORAL_NAMESPACE };
const connection = await connectWorker(temporal, log);
shutdown.onStop('temporal', async () => connection.close());
const stripe = { key: env.TRUEUP_STRIPE_KEY, url: env.TRUEUP_STRIPE_URL, tracing, metrics };
const { pace, close: closePace } = openPace({
  ...stripe,
  rate: env.TRUEUP_STRIPE_RATE,
  redisUrl: env.TRUEUP_REDIS_URL,
  log,
});
shutdown.onStop('redis', async () => Promise.resolve(closePace()));
const usageDb = openPostgres<UsageTables>(4);
const worker = await createWorker({
  connection,
  namespace: temporal.namespace,
  tracing,
  deps: {
    db: openPostgres(8),
    usage: createUsage({
      clickhouse,
      db: usageDb,
      topic: env.TRUEUP_TOPIC,
      fetchEndOffsets: async () => kafka.fetchEndOffsets(env.TRUEUP_TOPIC),
      // A barrier can't be taken back, so a real clock needs a second one that agrees with it.
      ...(env.TRUEUP_CLOCK === 'wall' ? { fetchWitnessMs: async () => fetchDatabaseNowMs(usageDb) } : {}),
    }),
    accounts: createAccounts(openPostgres(4)),
    billing: createStripeBilling({ ...stripe, pace }),
    clock: createClock(env.TRUEUP_CLOCK, openPostgres(1)),
    log,
    metrics,
    codeVersion: readCodeVersion(),
  },
});
if (env.TRUEUP_WEBHOOK_PORT !== undefined) {
  const secrets = env.TRUEUP_STRIPE_WEBHOOK_SECRETS?.split(',') ?? [];
  const toCloses = await createTemporal(temporal, tracing);
  shutdown.onStop('doorbells to closes', async () => toCloses.close());
  await startWebhooks({
    host: env.TRUEUP_HTTP_HOST,
    port: env.TRUEUP_WEBHOOK_PORT,
    db: openPostgres(4),
    source: createWebhookSource({ ...stripe, pace, secrets }),
    clock: createClock(env.TRUEUP_CLOCK, openPostgres(1)),
    log,
    metrics,
    shutdown,
    onChange: createCloseWaker({ client: toCloses.client, log }),
  });
}
if (env.TRUEUP_CLOCK === 'wall') {
  const toSchedules = await createTemporal(temporal);
  try {
    await ensureSchedules(toSchedules.client);
  } finally {
    await toSchedules.close();
  }
}
const standing = createLazyTemporal(temporal);
shutdown.onStop('temporal standing', async () => standing.close());
const [books, clock] = [openPostgres<ReconcileTables>(2), createClock(env.TRUEUP_CLOCK, openPostgres(1))];
health.add(
  'outbox',
  createOutboxCheck({ limitMs: OUTBOX_STUCK_MS, fetch: async () => fetchOutbox(books, await clock.now()) }),
);
health.add(
  'workflows',
  createWorkflowsCheck({ limitMs: WORKFLOW_STUCK_MS, fetch: async () => fetchWorkflows(standing.client, Date.now()) }),
);
const running = worker.run();
shutdown.onStop('worker', async () => {
  worker.shutdown();
  await running;
});
log.info({ queue: worker.options.taskQueue }, 'reconciliation worker is running');
