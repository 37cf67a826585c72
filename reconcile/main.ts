// The reconciliation worker. Any number may run; Temporal hands each step to one of them, and a step that dies with its
// worker is run again by another.

import { createAccounts } from '../accounts/door.ts';
import { createUsage, fetchDatabaseNowMs, type UsageTables } from '../aggregate/usage.ts';
import { createClock } from '../platform/clock.ts';
import { createKafka } from '../platform/kafka.ts';
import { startStage } from '../platform/stage.ts';
import { connectWorker } from '../platform/temporal-worker.ts';
import { createStripeBilling } from './billing/stripe.ts';
import { readCodeVersion } from './code-version.ts';
import { createWorker } from './worker.ts';

const { env, log, shutdown, clickhouse, openPostgres } = await startStage('reconcile', process.env);
const kafka = createKafka({ brokers: env.TRUEUP_KAFKA_BROKERS, clientId: 'trueup-reconcile', log });
shutdown.onStop('kafka', async () => kafka.close());

const temporal = { address: env.TRUEUP_TEMPORAL_ADDRESS, namespace: env.TRUEUP_TEMPORAL_NAMESPACE };
const connection = await connectWorker(temporal, log);
shutdown.onStop('temporal', async () => connection.close());
const usageDb = openPostgres<UsageTables>(4);
const worker = await createWorker({
  connection,
  namespace: temporal.namespace,
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
    billing: createStripeBilling({ key: env.TRUEUP_STRIPE_KEY, url: env.TRUEUP_STRIPE_URL }),
    clock: createClock(env.TRUEUP_CLOCK, openPostgres(1)),
    log,
    codeVersion: readCodeVersion(),
  },
});
const running = worker.run();
shutdown.onStop('worker', async () => {
  worker.shutdown();
  await running;
});
log.info({ queue: worker.options.taskQueue }, 'reconciliation worker is running');
