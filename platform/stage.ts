// How every stage process begins: environment, what every process has (process.ts), schema, ClickHouse. A database that is away is waited
// for, with a line in the log, instead of ending the process.

import { TrueupError, type ErrorCode } from '../domain/contracts/errors.ts';
import { createClickHouse, type ClickHouse } from './clickhouse.ts';
import { parseEnv, type Env } from './env.ts';
import { createPostgres, type Postgres } from './postgres.ts';
import { startProcess, type ProcessName, type RunningProcess } from './process.ts';
import { prepareStores } from './prepare-stores.ts';
import { registerProcess } from './process-registry.ts';
import { retryUnavailable } from './retry.ts';

export type Stage = RunningProcess & {
  readonly env: Env;
  readonly clickhouse: ClickHouse;
  /** Each room's tables are its own affair, so each gets its own view of the one database. */
  readonly openPostgres: <Tables>(connectionsMax: number) => Postgres<Tables>;
};

/** To be called once, by a stage's main.ts, with the process environment. Clients opened here are closed when the process stops. */
export async function startStage(
  name: ProcessName,
  source: Readonly<Record<string, string | undefined>>,
): Promise<Stage> {
  const env = orExit(() => parseEnv(source));
  const running = await startProcess(name, env);
  const { log, shutdown, health } = running;
  let waitsFor: string | null = 'the databases did not answer yet';
  health.add('databases', async () => Promise.resolve(waitsFor));
  const [postgresUrl, clickhouseUrl] = [env.TRUEUP_POSTGRES_URL, env.TRUEUP_CLICKHOUSE_URL];
  const clickhouseDatabase = env.TRUEUP_CLICKHOUSE_DATABASE;
  const clickhouseCluster = env.TRUEUP_CLICKHOUSE_CLUSTER;
  const clickhouse = createClickHouse({ url: clickhouseUrl, database: clickhouseDatabase });
  shutdown.onStop('clickhouse', async () => clickhouse.close());
  const preparation = {
    postgresUrl,
    clickhouseUrl,
    clickhouseDatabase,
    clickhouseCluster,
    clickhouse,
    migrates: env.TRUEUP_MIGRATE === 'yes',
    topic: env.TRUEUP_TOPIC,
  };
  const prepared = retryUnavailable(async () => prepareStores(preparation), {
    signal: shutdown.signal,
    onRetry: (error) => {
      waitsFor = String(error);
      log.warn({ error: waitsFor }, 'waiting for the databases');
    },
  });
  await prepared.catch(exitIfRefused);
  waitsFor = null;
  const openPostgres = <Tables>(connectionsMax: number) => {
    const view = createPostgres<Tables>(postgresUrl, connectionsMax);
    shutdown.onStop('postgres', async () => view.destroy());
    return view;
  };
  shutdown.onStop('registration', await registerProcess(openPostgres(1), { name, log }));
  return { ...running, env, clickhouse, openPostgres };
}

/** What the operator has to mend, before this process may work at all. */
const REFUSALS: readonly ErrorCode[] = [
  'ENV_INVALID',
  'LOG_LAYOUT_CHANGED',
  'SCHEMA_BEHIND',
  'SCHEMA_AHEAD',
  'STORES_DIVERGED',
];

/** What is wrong and what to do, without a stack trace, and exit code 2. */
export function exitIfRefused(error: unknown): never {
  if (!(error instanceof TrueupError) || !REFUSALS.includes(error.code)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}

export function orExit<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    return exitIfRefused(error);
  }
}
