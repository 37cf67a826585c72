// The watcher: every few seconds one look at what stands in the stores, as metrics. It writes nothing and starts without
// any server, because its point is to be there when others are not. When it dies, its absence is an alert of its own.

import { setTimeout as delay } from 'node:timers/promises';
import { parseEnvPart } from '../platform/env.ts';
import { PROCESS_VARIABLES, startProcess } from '../platform/process.ts';
import { orExit } from '../platform/stage.ts';
import { openWatch, WATCH_VARIABLES } from './deps.ts';
import { exportStanding } from './export.ts';
import { computeFreshnessMs, takeSample, type Sample } from './freshness.ts';
import { createLook } from './look.ts';
import { countDue, judge, type Slo } from './objectives.ts';
import type { Standing } from './standing.ts';

const env = orExit(() => parseEnvPart(process.env, [...PROCESS_VARIABLES, ...WATCH_VARIABLES, 'TRUEUP_WATCH_SECONDS']));
const { log, shutdown, metrics, health } = await startProcess('watch', env);
const { deps, close } = openWatch(env, log);
shutdown.onStop('stores', close);

let samples: Sample[] = [];
let failing: readonly string[] = [];
let toldAtMs: number | undefined;
health.add('reads', async () => Promise.resolve(failing.length === 0 ? null : `not readable: ${failing.join('; ')}`));

/** Null when it can't be known. */
function followFreshness({ log: read, rollup, atMs }: Standing): number | null {
  if (!read.ok || !rollup.ok) return null;
  const { rolledUp } = rollup.value;
  samples = takeSample(samples, { atMs, ends: read.value.ends }, rolledUp);
  return computeFreshnessMs(samples, rolledUp, atMs);
}

function tell(standing: Standing): void {
  exportStanding(metrics, standing);
  const freshnessMs = followFreshness(standing);
  if (freshnessMs === null) metrics.forgetAll('trueup_watch_freshness_seconds');
  else metrics.record('trueup_watch_freshness_seconds', {}, freshnessMs / 1_000);
  const due = countDue(toldAtMs, standing.atMs, env.TRUEUP_WATCH_SECONDS * 1_000);
  toldAtMs = standing.atMs;
  for (const [slo, outcome] of Object.entries(judge(standing, freshnessMs)) as [Slo, 'good' | 'bad' | 'unknown'][]) {
    metrics.count('trueup_watch_slo_looks_total', { slo, outcome }, due);
  }
  const { atMs: _, ...parts } = standing;
  const errors = Object.entries(parts).flatMap(([name, part]) => (part.ok ? [] : [`${name}: ${part.error}`]));
  if (errors.join() !== failing.join())
    log.warn({ errors }, errors.length === 0 ? 'everything is readable again' : 'not everything can be read');
  failing = errors;
}

const look = createLook(deps);
log.info({ everySeconds: env.TRUEUP_WATCH_SECONDS, topic: env.TRUEUP_TOPIC }, 'watching');
while (!shutdown.signal.aborted) {
  tell(await look());
  await delay(env.TRUEUP_WATCH_SECONDS * 1_000, undefined, { signal: shutdown.signal }).catch(() => undefined);
}
