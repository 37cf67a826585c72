// The servers of a measurement: a stack of their own, on empty data unless kept.

import { createClickHouse, type ClickHouse } from '../platform/clickhouse.ts';
import { createKafka, type Kafka } from '../platform/kafka.ts';
import { createLog } from '../platform/log.ts';
import { startStack } from '../stack/stack.ts';

const SERVERS = ['kafka', 'clickhouse', 'postgres', 'redis'] as const;
const DATABASE = 'bench';

export type BenchStack = {
  /** The variables of a stage's process. */
  readonly env: Readonly<Record<string, string>>;
  readonly kafka: Kafka;
  readonly clickhouse: ClickHouse;
  readonly database: string;
  serverPids(): Map<string, number>;
  /** Nothing is left to merge or to remove: the next contender starts on a quiet engine. */
  untilQuiet(): Promise<void>;
  stop(): Promise<void>;
};

export async function startBenchStack(keepData: boolean): Promise<BenchStack> {
  const stack = await startStack({ name: 'bench', servers: SERVERS, ignoreGiven: true, keepData });
  const env = {
    ...stack.env,
    // Named by every stage's environment, used by none of those measured.
    TRUEUP_TEMPORAL_ADDRESS: '127.0.0.1:1',
    TRUEUP_STRIPE_KEY: 'sk_test_bench',
  };
  const url = stack.env['TRUEUP_CLICKHOUSE_URL'] ?? '';
  const bootstrap = createClickHouse({ url, database: 'default' });
  await bootstrap.command(`CREATE DATABASE IF NOT EXISTS ${DATABASE}`);
  await bootstrap.close();
  const clickhouse = createClickHouse({ url, database: DATABASE });
  const log = createLog('bench', 'warn');
  const kafka = createKafka({ brokers: stack.env['TRUEUP_KAFKA_BROKERS'] ?? '', clientId: 'bench', log });
  return {
    env,
    kafka,
    clickhouse,
    database: DATABASE,
    serverPids: () =>
      new Map(SERVERS.flatMap((name) => (stack.pid(name) === undefined ? [] : [[name, stack.pid(name) ?? 0]]))),
    untilQuiet: async () => {
      for (;;) {
        const [row] = await clickhouse.query<{ merges: string }>('SELECT count() AS merges FROM system.merges');
        if (row?.merges === '0') return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    stop: async () => {
      await clickhouse.close();
      await kafka.close();
      await stack.stop();
    },
  };
}
