// Redis as the shared counter of rate limits: one token bucket per key, taken from by one script, by Redis' own clock, in
// one round trip. It answers within a deadline or fails: a limiter must never be what a request waits for.

import { Redis } from 'ioredis';
import type { Log } from './log.ts';
import type { BucketPolicy, Taken } from './token-bucket.ts';

export type SharedBuckets = {
  /** Takes `cost` tokens, all or none. Throws when Redis does not answer in time. */
  take(key: string, cost: number, policy: BucketPolicy): Promise<Taken>;
  close(): void;
};

const ANSWER_WITHIN_MS = 250;
const PROBE_WITHIN_MS = 2_000;

/** The arithmetic of token-bucket.ts. A bucket that would be full again is not worth keeping, so it expires. */
const TAKE = `
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1]) or burst, tonumber(bucket[2]) or now_ms
tokens = math.min(burst, tokens + math.max(0, now_ms - at) * rate / 1000)
local allowed = tokens >= cost
if allowed then tokens = tokens - cost end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', tostring(now_ms))
redis.call('PEXPIRE', KEYS[1], math.ceil(burst * 1000 / rate) + 1000)
return { allowed and 1 or 0, math.floor(tokens), allowed and 0 or math.ceil((cost - tokens) * 1000 / rate) }
`;

export type RedisProbe = { ask(): Promise<void>; close(): void };

/** Asks whether Redis answers; one that is just being connected to has as long as any other. */
export function createRedisProbe(url: string): RedisProbe {
  const redis = new Redis(url, {
    commandTimeout: PROBE_WITHIN_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 1_000,
  });
  // Whoever asks is told; between questions nobody waits for it.
  redis.on('error', () => undefined);
  return {
    ask: async () => {
      await redis.ping();
    },
    close: () => redis.disconnect(),
  };
}

export function createSharedBuckets(url: string, log: Log): SharedBuckets {
  const redis = new Redis(url, {
    // Without a connection the answer is "no answer", at once.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: ANSWER_WITHIN_MS,
    retryStrategy: (attempt) => Math.min(attempt * 100, 2_000),
  });
  let reported = false;
  redis.on('error', (error: Error) => {
    if (!reported) log.warn({ error: error.message }, 'Redis is not reachable; rate limits hold per process meanwhile');
    reported = true;
  });
  redis.on('ready', () => {
    reported = false;
  });
  redis.defineCommand('takeTokens', { numberOfKeys: 1, lua: TAKE });
  const take = Reflect.get(redis, 'takeTokens') as (...args: (string | number)[]) => Promise<[number, number, number]>;
  return {
    take: async (key, cost, { perSecond, burst }) => {
      const [allowed, remaining, retryAfterMs] = await take.call(redis, `trueup:rate:${key}`, perSecond, burst, cost);
      return { allowed: allowed === 1, remaining, retryAfterMs };
    },
    close: () => redis.disconnect(),
  };
}
