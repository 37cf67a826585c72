// How every stage process begins: environment, log, graceful stop, schema, ClickHouse. A database that is away is waited
// for, with a line in the log, instead of ending the process.

import { TrueupError } from '../domain/contracts/errors.ts';
import { createClickHouse, type ClickHouse } from './clickhouse.ts';
import { parseEnv, type Env } from './env.ts';
import { createLog, type Log } from './log.ts';
import { migrate } from './migrate.ts';
import { createPostgres, type Postgres } from './postgres.ts';
import { retryUnavailable } from './retry.ts';
import { installShutdown, type Shutdown } from './shutdown.ts';
import { startTracing, type Tracing } from './tracing.ts';

export type Stage = {
  readonly env: Env;
  readonly log: Log;
  readonly shutdown: Shutdown;
  readonly tracing: Tracing;
  readonly clickhouse: ClickHouse;
  /** Each room's tables are its own affair, so each gets its own view of the one database. */
  readonly openPostgres: <Tables>(connectionsMax: number) => Postgres<Tables>;
};

/** To be called once, by a stage's main.ts, with the process environment. Clients opened here are closed when the process stops. */
export async function startStage(name: string, source: Readonly<Record<string, string | undefined>>): Promise<Stage> {
  const env = orExit(() => parseEnv(source));
  const log = createLog(name, env.TRUEUP_LOG_LEVEL);
  const shutdown = installShutdown(log);
  const tracing = await startTracing({ url: env.TRUEUP_TRACE_URL, process: name, log });
  shutdown.onStop('tracing', async () => tracing.stop());
  const [postgresUrl, clickhouseUrl] = [env.TRUEUP_POSTGRES_URL, env.TRUEUP_CLICKHOUSE_URL];
  const clickhouseDatabase = env.TRUEUP_CLICKHOUSE_DATABASE;
  const clickhouseCluster = env.TRUEUP_CLICKHOUSE_CLUSTER;
  await retryUnavailable(async () => migrate({ postgresUrl, clickhouseUrl, clickhouseDatabase, clickhouseCluster }), {
    signal: shutdown.signal,
    onRetry: (error) => log.warn({ error: String(error) }, 'waiting for the databases'),
  });
  const clickhouse = createClickHouse({ url: clickhouseUrl, database: clickhouseDatabase });
  shutdown.onStop('clickhouse', async () => clickhouse.close());
  return {
    env,
    log,
    shutdown,
    tracing,
    clickhouse,
    openPostgres: <Tables>(connectionsMax: number) => {
      const view = createPostgres<Tables>(postgresUrl, connectionsMax);
      shutdown.onStop('postgres', async () => view.destroy());
      return view;
    },
  };
}

/** A wrong configuration is the operator's to mend: the list of what is wrong, without a stack trace, and exit code 2. */
export function orExit<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TrueupError) || error.code !== 'ENV_INVALID') throw error;
    process.stderr.write(`${error.message}\n`);
    return process.exit(2);
  }
}
