// What the watcher reads with. Everything connects lazily: it must start, and say what is wrong, while servers are away.

import { createAccounts, type Accounts } from '../accounts/door.ts';
import type { AccountTables } from '../accounts/tables.ts';
import type { AggregateTables } from '../aggregate/tables.ts';
import { createClickHouse, type ClickHouse } from '../platform/clickhouse.ts';
import { createClock, type BusinessClockTables, type Clock } from '../platform/clock.ts';
import type { Env } from '../platform/env.ts';
import { createKafka } from '../platform/kafka.ts';
import type { Log } from '../platform/log.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { createRedisProbe } from '../platform/redis.ts';
import { createLazyTemporal, type Temporal } from '../platform/temporal.ts';
import type { ReconcileTables } from '../reconcile/books.ts';

export type WatchTables = AggregateTables & BusinessClockTables & ReconcileTables & AccountTables;

export type WatchDeps = {
  readonly clickhouse: ClickHouse;
  readonly db: Postgres<WatchTables>;
  readonly topic: string;
  readonly clock: Clock;
  readonly accounts: Pick<Accounts, 'fetchFirstCreatedAtMs'>;
  readonly temporal: Temporal['client'];
  readonly fetchEndOffsets: () => Promise<bigint[]>;
  readonly askRedis: () => Promise<void>;
  readonly askTemporal: () => Promise<unknown>;
  /** Any answer that is not a server's fault will do; no key is sent. */
  readonly askStripe: () => Promise<void>;
};

export const WATCH_VARIABLES = [
  'TRUEUP_KAFKA_BROKERS',
  'TRUEUP_CLICKHOUSE_URL',
  'TRUEUP_CLICKHOUSE_DATABASE',
  'TRUEUP_POSTGRES_URL',
  'TRUEUP_REDIS_URL',
  'TRUEUP_TEMPORAL_ADDRESS',
  'TRUEUP_TEMPORAL_NAMESPACE',
  'TRUEUP_STRIPE_URL',
  'TRUEUP_TOPIC',
  'TRUEUP_CLOCK',
] as const;

const STRIPE_URL = 'https://api.stripe.com';
const REQUEST_TIMEOUT_MS = 10_000;

export function openWatch(
  env: Pick<Env, (typeof WATCH_VARIABLES)[number]>,
  log: Log,
): { readonly deps: WatchDeps; readonly close: () => Promise<void> } {
  const clickhouse = createClickHouse({
    url: env.TRUEUP_CLICKHOUSE_URL,
    database: env.TRUEUP_CLICKHOUSE_DATABASE,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  });
  const db = createPostgres<WatchTables>(env.TRUEUP_POSTGRES_URL, 6);
  const kafka = createKafka({ brokers: env.TRUEUP_KAFKA_BROKERS, clientId: 'trueup-watch', log });
  const redis = createRedisProbe(env.TRUEUP_REDIS_URL);
  const temporal = createLazyTemporal({
    address: env.TRUEUP_TEMPORAL_ADDRESS,
    namespace: env.TRUEUP_TEMPORAL_NAMESPACE,
  });
  const deps: WatchDeps = {
    clickhouse,
    db,
    topic: env.TRUEUP_TOPIC,
    clock: createClock(env.TRUEUP_CLOCK, db),
    accounts: createAccounts(db),
    temporal: temporal.client,
    fetchEndOffsets: async () => kafka.fetchEndOffsets(env.TRUEUP_TOPIC),
    askRedis: async () => redis.ask(),
    askTemporal: async () => temporal.client.workflowService.getSystemInfo({}),
    askStripe: async () => {
      const { status } = await fetch(new URL('/v1', env.TRUEUP_STRIPE_URL ?? STRIPE_URL));
      if (status >= 500) throw new Error(`answered ${status}`);
    },
  };
  const close = async () => {
    redis.close();
    await Promise.allSettled([kafka.close(), temporal.close(), clickhouse.close(), db.destroy()]);
  };
  return { deps, close };
}
