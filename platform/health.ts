// Whether a process can do its work. Liveness is another question: a process that answers at all is alive, and restarting
// it would not bring its servers back.
// Checks run by themselves every few seconds, so that asking costs nothing and standstills are measured between looks. One
// that fails or does not answer is a reason not to be ready (promise I6: unknown is not well).

import { setTimeout as delay } from 'node:timers/promises';
import type { MetricLabels } from '../domain/contracts/metrics.ts';
import type { Metrics } from './metrics.ts';
import { followProgress, type Progress, type Standstill } from './standstill.ts';

export type CheckName = MetricLabels<'trueup_process_ready_up'>['check'];

/** Null: all is well; otherwise why it is not, for people. Rejecting means the same with the error as the reason. */
export type Check = () => Promise<string | null>;

export type Readiness = { readonly ready: boolean; readonly checks: Readonly<Record<string, string>> };

export type Health = {
  /** A check that was added again replaces the one before. */
  add(name: CheckName, check: Check): void;
  /** Red until the first look is over, and when the last one is too old to be believed. */
  readiness(): Readiness;
  /** Runs all checks now. */
  look(): Promise<void>;
  stop(): void;
};

export type HealthOptions = { readonly metrics: Metrics; readonly everyMs?: number; readonly timeoutMs?: number };

const EVERY_MS = 5_000;
const TIMEOUT_MS = 3_000;
/** So many looks may be missed before the last answer is no answer. */
const LOOKS_MISSED = 6;
export const WELL = 'ok';

export function createHealth({ metrics, everyMs = EVERY_MS, timeoutMs = TIMEOUT_MS }: HealthOptions): Health {
  const checks = new Map<CheckName, Check>();
  let answers = new Map<CheckName, string>();
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const look = async () => {
    const asked = [...checks];
    const found = await Promise.all(asked.map(async ([name, check]) => [name, await ask(check, timeoutMs)] as const));
    answers = new Map(found);
    lookedAtMs = performance.now();
    for (const [check, answer] of found) metrics.record('trueup_process_ready_up', { check }, answer === WELL ? 1 : 0);
  };
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => {
    looking ??= look().finally(() => (looking = undefined));
  }, everyMs);
  timer.unref();
  return {
    add: (name, check) => {
      checks.set(name, check);
    },
    readiness: () => {
      const old = performance.now() - lookedAtMs > everyMs * LOOKS_MISSED + timeoutMs;
      const named = [...checks.keys()].map((name) => [
        name,
        old ? 'not looked at' : (answers.get(name) ?? 'not looked at'),
      ]);
      const all = Object.fromEntries(named) as Record<string, string>;
      return { ready: Object.values(all).every((answer) => answer === WELL), checks: all };
    },
    look,
    stop: () => clearInterval(timer),
  };
}

async function ask(check: Check, timeoutMs: number): Promise<string> {
  const late = delay(timeoutMs, `no answer within ${timeoutMs} ms`, { ref: false });
  try {
    return (await Promise.race([check(), late])) ?? WELL;
  } catch (error) {
    return String(error);
  }
}

export type StandstillOptions = {
  readonly what: string;
  readonly limitMs: number;
  readonly fetch: () => Promise<Progress>;
};

/** Well while nothing is left to do or the position moves; not well when it stood for `limitMs`, measured between looks. */
export function createStandstillCheck({ what, limitMs, fetch }: StandstillOptions): Check {
  let state: Standstill | undefined;
  return async () => {
    const progress = await fetch();
    const nowMs = performance.now();
    state = followProgress(state, progress, nowMs);
    const stoodMs = nowMs - state.sinceMs;
    if (stoodMs < limitMs) return null;
    return `${what}: ${progress.behind} left, and nothing moved for ${Math.round(stoodMs / 1000)} s`;
  };
}
