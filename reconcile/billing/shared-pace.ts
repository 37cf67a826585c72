// The pace of a process that calls the biller, by its configuration: shared through Redis, or none where nothing limits.

import { setTimeout as wait } from 'node:timers/promises';
import type { Log } from '../../platform/log.ts';
import { createSharedBuckets } from '../../platform/redis.ts';
import { createPace, type Pace } from './pace.ts';

export type PaceConfiguration = {
  readonly key: string;
  readonly url?: string | undefined;
  /** Calls per second, in digits; what the key's mode allows when it is not set. */
  readonly rate?: string | undefined;
  readonly redisUrl: string;
  readonly log: Log;
};

/** Below Stripe's limits of 100 calls a second live and 25 in a sandbox; a simulated biller has none. */
function toRate({ key, url, rate }: PaceConfiguration): number | undefined {
  if (rate !== undefined) return Number(rate);
  if (url !== undefined) return undefined;
  return /^(sk|rk)_live_/.test(key) ? 80 : 20;
}

export function openPace(configuration: PaceConfiguration): {
  readonly pace: Pace | undefined;
  readonly close: () => void;
} {
  const perSecond = toRate(configuration);
  if (perSecond === undefined) return { pace: undefined, close: () => undefined };
  const buckets = createSharedBuckets(configuration.redisUrl, configuration.log);
  // Limits are an account's in one mode, whatever keys it has.
  const name = /^(sk|rk)_live_/.test(configuration.key) ? 'live' : 'test';
  const pace = createPace({ buckets, name, perSecond, now: () => performance.now(), wait });
  return { pace, close: () => buckets.close() };
}
