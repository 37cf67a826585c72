// Servers come and go; a sink waits for them and loses nothing meanwhile, because nothing is committed before it is stored.

import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { retryUnavailable } from '../platform/retry.ts';

export type Waiting = { readonly signal: AbortSignal; readonly log: Log; readonly metrics: Metrics };

export type Server = 'kafka' | 'clickhouse' | 'postgres';

/** Repeats `work` while the server is unavailable and nobody asked to stop. Logs the first failed attempt and every tenth. */
export async function waitOut<T>(server: Server, work: () => Promise<T>, waiting: Waiting): Promise<T> {
  const { signal, log, metrics } = waiting;
  return retryUnavailable(work, {
    signal,
    maxDelayMs: 2_000,
    onRetry: (error, attempt) => {
      metrics.count('trueup_ingest_waits_total', { server });
      if (attempt % 10 === 1) log.warn({ server, attempt, error: String(error) }, 'server unavailable, waiting');
    },
  });
}
