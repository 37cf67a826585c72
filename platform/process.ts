// How every process of Trueup begins, whatever it does: log, graceful stop, traces, metrics, health, and the port where the
// last two are served. It answers before any server is reached, so that a process which waits can say what for.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PROCESS_NAMES } from '../domain/contracts/metrics/work.ts';
import type { Env } from './env.ts';
import { createHealth, type Health } from './health.ts';
import { createLog, type Log } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { startOps } from './ops.ts';
import { installShutdown, type Shutdown } from './shutdown.ts';
import { startTracing, type Tracing } from './tracing.ts';

export type ProcessName = (typeof PROCESS_NAMES)[number];

export type RunningProcess = {
  readonly log: Log;
  readonly shutdown: Shutdown;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly tracing: Tracing;
};

/** The variables every process reads. */
export const PROCESS_VARIABLES = [
  'TRUEUP_LOG_LEVEL',
  'TRUEUP_OPS_HOST',
  'TRUEUP_OPS_PORT',
  'TRUEUP_TRACE_URL',
] as const;

export async function startProcess(
  name: ProcessName,
  env: Pick<Env, (typeof PROCESS_VARIABLES)[number]>,
): Promise<RunningProcess> {
  const log = createLog(name, env.TRUEUP_LOG_LEVEL);
  const shutdown = installShutdown(log);
  const metrics = createMetrics({ runtime: true });
  metrics.record('trueup_process_build_info', { name, version: readVersion() }, 1);
  const health = createHealth({ metrics });
  shutdown.onStop('health', () => health.stop());
  if (env.TRUEUP_OPS_PORT !== undefined) {
    const ops = await startOps({ host: env.TRUEUP_OPS_HOST, port: env.TRUEUP_OPS_PORT, metrics, health });
    shutdown.onStop('ops', async () => ops.stop());
    log.info({ url: ops.url }, 'serving metrics and health');
  }
  const tracing = await startTracing({ url: env.TRUEUP_TRACE_URL, process: name, log });
  shutdown.onStop('tracing', async () => tracing.stop());
  return { log, shutdown, metrics, health, tracing };
}

export function readVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
