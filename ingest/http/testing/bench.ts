// For integration tests: a door of its own in this process, on a topic and a database of its own, with keys and accounts.

import { randomBytes } from 'node:crypto';
import { createAccounts } from '../../../accounts/door.ts';
import { createPrincipals, type PrincipalTables, type Principals } from '../../../accounts/principals.ts';
import { INTAKE_LIMITS } from '../../../domain/contracts/intake.ts';
import { parseCurrency } from '../../../domain/money.ts';
import { DAY_MS } from '../../../domain/period.ts';
import { advanceClock, createClock, type BusinessClockTables } from '../../../platform/clock.ts';
import type { OutgoingRecord } from '../../../platform/kafka.ts';
import { createLog } from '../../../platform/log.ts';
import { createMetrics } from '../../../platform/metrics.ts';
import { createPostgres, type Postgres } from '../../../platform/postgres.ts';
import { createSharedBuckets } from '../../../platform/redis.ts';
import { retryUnavailable } from '../../../platform/retry.ts';
import type { Tracing } from '../../../platform/tracing.ts';
import { createIngestBench, type IngestBench } from '../../testing/bench.ts';
import { createDirectory } from '../access.ts';
import { createBudget } from '../budget.ts';
import { startDoor, type Door } from '../door.ts';
import type { IntakeLimits } from '../intake.ts';
import { createLogWriter } from '../log-writer.ts';
import { createRateLimiter } from '../rate-limit.ts';

type AccountTables = Parameters<typeof createAccounts>[0] extends Postgres<infer Tables> ? Tables : never;

export type Reply = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    readonly code?: string;
    readonly retryable?: boolean;
    readonly field?: string | null;
    readonly next?: string;
    readonly requestId: string;
    readonly accepted?: number;
    readonly rejected?: number;
    readonly message?: string;
    readonly outcomes?: readonly {
      readonly id?: string;
      readonly outcome: string;
      readonly code?: string;
      readonly field?: string;
    }[];
  };
};

export type Sent = {
  readonly key?: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly method?: string;
};

export type DoorBench = {
  readonly ingest: IngestBench;
  /** Manifests have a topic of their own. */
  readonly manifestTopic: string;
  readonly door: Door;
  readonly principals: Principals;
  /** A key of source /cell/1 for all accounts. */
  readonly key: string;
  createKey(request: {
    source: string;
    accounts: 'all' | string[];
    eventsPerSecond?: number;
    expiresAtMs?: number;
  }): Promise<string>;
  post(body: string | Buffer, sent?: Sent): Promise<Reply>;
  /** Every record of a topic so far, of events if not said. */
  fetchLog(count: number, topic?: string): Promise<{ key: string; value: string; timestampMs: number }[]>;
  close(): Promise<void>;
};

export type DoorBenchOptions = {
  readonly nowMs: number;
  readonly limits?: IntakeLimits;
  readonly bytesInFlightMax?: number;
  readonly ackTimeoutMs?: number;
  readonly redisUrl?: string;
  readonly tracing?: Tracing;
  /** Stands between the door and the broker for both topics: to delay, or to keep an ack from coming. */
  readonly between?: (send: () => Promise<void>) => Promise<void>;
};

export async function createDoorBench(label: string, options: DoorBenchOptions): Promise<DoorBench> {
  const { nowMs, limits, tracing, between = async (send) => send() } = options;
  const redisUrl = options.redisUrl ?? process.env['TRUEUP_REDIS_URL'] ?? '';
  const ingest = await createIngestBench(`http_${label}`, 3);
  const db = createPostgres<AccountTables & PrincipalTables & BusinessClockTables>(ingest.databases.postgresUrl);
  await advanceClock(db, nowMs);
  const sinceMs: Readonly<Record<string, number>> = { acme: 40 * DAY_MS, globex: 40 * DAY_MS, tomorrow: -DAY_MS };
  for (const [id, ageMs] of Object.entries(sinceMs)) {
    const terms = { currency: parseCurrency('usd'), planId: 'developer', contracts: [], namespaces: [] } as const;
    await createAccounts(db).register({ ...terms, id, createdAtMs: nowMs - ageMs });
  }
  const principals = createPrincipals(db);
  const log = createLog('http-test', process.env['TRUEUP_TEST_LOG'] ?? 'silent');
  const manifestTopic = `${ingest.topic}.manifests`;
  await retryUnavailable(async () => ingest.kafka.createTopic(manifestTopic, { partitions: 1 }));
  const producer = await ingest.kafka.createProducer();
  const openWriter = (topic: string) => {
    const send = async (records: readonly OutgoingRecord[]) => between(async () => producer.send(topic, records));
    return createLogWriter({ send, ackTimeoutMs: options.ackTimeoutMs ?? INTAKE_LIMITS.ackTimeoutMs });
  };
  const buckets = createSharedBuckets(redisUrl, log);
  const door = await startDoor({
    host: '127.0.0.1',
    port: 0,
    log,
    directory: createDirectory({ principals, keyEnv: 'test', now: Date.now }),
    limiter: createRateLimiter(buckets, Date.now),
    budget: createBudget(options.bytesInFlightMax ?? INTAKE_LIMITS.bytesInFlightMax),
    writers: { event: openWriter(ingest.topic), manifest: openWriter(manifestTopic) },
    clock: createClock('simulated', db),
    metrics: createMetrics(),
    ...(limits === undefined ? {} : { limits }),
    ...(tracing === undefined ? {} : { tracing }),
  });
  const createKey: DoorBench['createKey'] = async ({ eventsPerSecond = 10_000, ...request }) => {
    const created = await principals.createKey({ env: 'test', nowMs: Date.now(), eventsPerSecond, ...request });
    if (!created.created) throw new Error(`unknown accounts: ${created.unknownAccounts.join(', ')}`);
    return created.text;
  };
  const key = await createKey({ source: '/cell/1', accounts: 'all' });
  return {
    ingest,
    manifestTopic,
    door,
    principals,
    key,
    createKey,
    post: async (body, sent = {}) => post(door.url, body, { key, ...sent }),
    fetchLog: async (count, topic = ingest.topic) => fetchLog(ingest, topic, count),
    close: async () => {
      await door.stop();
      await producer.close();
      buckets.close();
      await db.destroy();
      await ingest.close();
    },
  };
}

async function post(
  url: string,
  body: string | Buffer,
  { key, type, headers = {}, path, method }: Sent,
): Promise<Reply> {
  const bytes = typeof body === 'string' ? body : new Uint8Array(body);
  const response = await fetch(`${url}${path ?? '/v1/events'}`, {
    method: method ?? 'POST',
    headers: {
      'content-type': type ?? 'application/cloudevents+json',
      ...(key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` }),
      ...headers,
    },
    ...(method === 'GET' ? {} : { body: bytes }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Reply['body'] };
}

/** Reads a topic from its start in a group of its own until `count` records came. */
async function fetchLog(
  ingest: IngestBench,
  topic: string,
  count: number,
): Promise<{ key: string; value: string; timestampMs: number }[]> {
  const found: { key: string; value: string; timestampMs: number }[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const consumer = ingest.kafka.createConsumer({
    topic,
    groupId: `look-${randomBytes(4).toString('hex')}`,
    onBatch: ({ records }) => {
      for (const { key, value, timestamp } of records) {
        found.push({ key: String(key), value: String(value), timestampMs: Number(timestamp) });
      }
      if (found.length >= count) resolve();
      return Promise.resolve(true);
    },
  });
  await consumer.start();
  await Promise.race([promise, consumer.failed]);
  await consumer.stop();
  return found;
}
