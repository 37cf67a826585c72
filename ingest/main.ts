// The ingest process: usage and manifests from Kafka into ClickHouse. Waits for its servers and topics, ends on SIGTERM
// with everything in hand stored and committed, and ends with an error when an invariant broke or the topic is not the log
// that the stores hold.

import { createStandstillCheck } from '../platform/health.ts';
import { createKafka } from '../platform/kafka.ts';
import { exitIfRefused, startStage } from '../platform/stage.ts';
import { parseCaseKeys } from './case.ts';
import { fetchConsumption } from './consumption.ts';
import { createManifestSink } from './manifests.ts';
import { createSink } from './sink.ts';
import { createBlockStore } from './store.ts';
import type { IngestTables } from './tables.ts';
import { waitOut, type Waiting } from './wait-out.ts';

const { env, log, shutdown, metrics, health, tracing, clickhouse, openPostgres } = await startStage(
  'ingest',
  process.env,
);
const { signal } = shutdown;
const waiting: Waiting = { signal, log, metrics };
const postgres = openPostgres<IngestTables>(8);
const kafka = createKafka({ brokers: env.TRUEUP_KAFKA_BROKERS, clientId: 'trueup-ingest', log });
shutdown.onStop('kafka', async () => kafka.close());

const cases = parseCaseKeys(env.TRUEUP_CASE_KEYS);
const store = createBlockStore(clickhouse, postgres, waiting);
const usage = createSink({ kafka, store, topic: env.TRUEUP_TOPIC, log, metrics, cases, tracing });
const manifests = createManifestSink({ kafka, clickhouse, topic: env.TRUEUP_MANIFEST_TOPIC, waiting });

health.add(
  'consumption',
  createStandstillCheck({
    what: `records of ${env.TRUEUP_TOPIC}`,
    limitMs: env.TRUEUP_STANDSTILL_SECONDS * 1_000,
    fetch: async () => fetchConsumption(kafka, env.TRUEUP_TOPIC),
  }),
);

const run = async (topic: string, sink: typeof usage) => {
  await kafka.waitForTopic(topic, signal);
  await waitOut('kafka', async () => sink.start(), waiting);
  shutdown.onStop(`sink of ${topic}`, async () => sink.stop());
  log.info({ topic }, 'reading');
  return sink.failed;
};
try {
  await Promise.all([run(env.TRUEUP_TOPIC, usage), run(env.TRUEUP_MANIFEST_TOPIC, manifests)]);
} catch (error) {
  // Being asked to stop ends every wait with an error; that is not a failure.
  if (!signal.aborted) exitIfRefused(error);
}
