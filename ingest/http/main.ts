// The process of the HTTP door: usage events and manifests over HTTP into Kafka. Waits for Postgres, its tables and the topic
// of events; on SIGTERM it answers what came in and ends. Any number of them may run: they share the rate limits through
// Redis. Manifests have a connection of their own, so that a topic of theirs that is missing or stuck delays no usage.

import { createPrincipals, type PrincipalTables } from '../../accounts/principals.ts';
import { INTAKE_LIMITS } from '../../domain/contracts/intake.ts';
import { createClock, type BusinessClockTables } from '../../platform/clock.ts';
import { parseEnvPart } from '../../platform/env.ts';
import { createKafka } from '../../platform/kafka.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { PROCESS_VARIABLES, startProcess } from '../../platform/process.ts';
import { registerProcess, type ProcessTables } from '../../platform/process-registry.ts';
import { createSharedBuckets } from '../../platform/redis.ts';
import { orExit } from '../../platform/stage.ts';
import { waitOut, type Waiting } from '../wait-out.ts';
import { createDirectory } from './access.ts';
import { createBudget } from './budget.ts';
import { describeLog, startDoor } from './door.ts';
import { createLogWriter } from './log-writer.ts';
import { createRateLimiter } from './rate-limit.ts';

const env = orExit(() =>
  parseEnvPart(process.env, [
    'TRUEUP_KAFKA_BROKERS',
    'TRUEUP_POSTGRES_URL',
    'TRUEUP_REDIS_URL',
    'TRUEUP_CLOCK',
    'TRUEUP_TOPIC',
    'TRUEUP_MANIFEST_TOPIC',
    'TRUEUP_HTTP_HOST',
    'TRUEUP_HTTP_PORT',
    ...PROCESS_VARIABLES,
  ]),
);
const { log, shutdown, metrics, health, tracing } = await startProcess('http', env);
const waiting: Waiting = { signal: shutdown.signal, log, metrics };

try {
  const postgres = createPostgres<PrincipalTables & BusinessClockTables & ProcessTables>(env.TRUEUP_POSTGRES_URL);
  shutdown.onStop('postgres', async () => postgres.destroy());
  const principals = createPrincipals(postgres);
  await waitOut('postgres', async () => principals.checkTables(), waiting);
  shutdown.onStop('registration', await registerProcess(postgres, { name: 'http', log }));

  const kafka = createKafka({ brokers: env.TRUEUP_KAFKA_BROKERS, clientId: 'trueup-http', log });
  shutdown.onStop('kafka', async () => kafka.close());
  await kafka.waitForTopic(env.TRUEUP_TOPIC, shutdown.signal);
  const openWriter = async (topic: string) => {
    const producer = await waitOut('kafka', async () => kafka.createProducer(), waiting);
    shutdown.onStop(`producer of ${topic}`, async () => producer.close());
    const { ackTimeoutMs } = INTAKE_LIMITS;
    const writer = createLogWriter({ send: async (records) => producer.send(topic, records), ackTimeoutMs });
    shutdown.onStop(`writer of ${topic}`, async () => writer.drain());
    return writer;
  };
  // What is opened last is drained first: usage.
  const manifest = await openWriter(env.TRUEUP_MANIFEST_TOPIC);
  const event = await openWriter(env.TRUEUP_TOPIC);
  const buckets = createSharedBuckets(env.TRUEUP_REDIS_URL, log);
  shutdown.onStop('redis', () => buckets.close());

  health.add('log', async () => Promise.resolve(describeLog(event)));
  const door = await startDoor({
    host: env.TRUEUP_HTTP_HOST,
    port: env.TRUEUP_HTTP_PORT,
    log,
    directory: createDirectory({ principals, keyEnv: env.TRUEUP_CLOCK === 'wall' ? 'live' : 'test', now: Date.now }),
    limiter: createRateLimiter(buckets, Date.now),
    budget: createBudget(INTAKE_LIMITS.bytesInFlightMax),
    writers: { event, manifest },
    clock: createClock(env.TRUEUP_CLOCK, postgres),
    tracing,
    metrics,
  });
  shutdown.onStop('door', async () => door.stop());
  log.info({ url: door.url, topic: env.TRUEUP_TOPIC }, 'listening');
} catch (error) {
  // Being asked to stop ends every wait with an error; that is not a failure.
  if (!shutdown.signal.aborted) throw error;
}
