// Servers come and go; a sink waits for them and loses nothing meanwhile, because nothing is committed before it is stored.

import { TrueupError } from '../domain/contracts/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { retryUnavailable } from '../platform/retry.ts';

export type Waiting = { readonly signal: AbortSignal; readonly log: Log; readonly metrics: Metrics };

export type Server = 'kafka' | 'clickhouse' | 'postgres';

/** Repeats `work` while the server is unavailable and nobody asked to stop. Logs the first failed attempt and every tenth. */
export async function waitOut<T>(server: Server, work: () => Promise<T>, waiting: Waiting): Promise<T> {
  const { signal, log, metrics } = waiting;
  return retryUnavailable(async () => (server === 'postgres' ? translatePostgres(work) : work()), {
    signal,
    maxDelayMs: 2_000,
    onRetry: (error, attempt) => {
      metrics.count('trueup_ingest_waits_total', { server });
      if (attempt % 10 === 1) log.warn({ server, attempt, error: String(error) }, 'server unavailable, waiting');
    },
  });
}

/** SQLSTATE classes after which the same statement may succeed: connection, rollback, resources, operator, system. */
const TRANSIENT_CLASSES = new Set(['08', '40', '53', '57', '58']);
const LOCK_NOT_AVAILABLE = '55P03';

/** An error without SQLSTATE never came from a statement: the connection broke, or there was none. */
async function translatePostgres<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TrueupError) throw error;
    const state = 'code' in error && typeof error.code === 'string' && error.code.length === 5 ? error.code : undefined;
    const transient = state === undefined || TRANSIENT_CLASSES.has(state.slice(0, 2)) || state === LOCK_NOT_AVAILABLE;
    if (!transient || error instanceof TypeError) throw error;
    throw new TrueupError({
      kind: 'unavailable',
      code: 'POSTGRES_UNAVAILABLE',
      message: `Postgres did not answer: ${error.message}`,
      cause: error,
    });
  }
}
