// One token bucket per API key, shared by all processes through Redis; a token is an event. While Redis is away the bucket
// is this process's own: the door stays open, as usage must not wait for a limiter, and yet nobody gets past a limit. Then N
// processes let through up to N times a key's rate, and memory stays bounded by the byte budget either way.

import { INTAKE_LIMITS } from '../../domain/contracts/intake.ts';
import { takeTokens, type Bucket, type BucketPolicy, type Taken } from '../../platform/token-bucket.ts';
import type { SharedBuckets } from '../../platform/redis.ts';

export type RateLimiter = {
  /** Never throws. `shared` is false when Redis did not answer. */
  take(keyId: string, cost: number, eventsPerSecond: number): Promise<Taken & { readonly shared: boolean }>;
};

const OWN_BUCKETS_MAX = 10_000;

export function createRateLimiter(buckets: Pick<SharedBuckets, 'take'>, now: () => number): RateLimiter {
  const own = new Map<string, Bucket>();
  return {
    take: async (keyId, cost, eventsPerSecond) => {
      const policy = policyOf(eventsPerSecond);
      try {
        return { ...(await buckets.take(keyId, cost, policy)), shared: true };
      } catch {
        const { bucket, ...taken } = takeTokens(own.get(keyId), cost, policy, now());
        if (own.size >= OWN_BUCKETS_MAX) own.clear();
        own.set(keyId, bucket);
        return { ...taken, shared: false };
      }
    },
  };
}

/** The largest request must fit into a full bucket, or it could never pass. */
export function policyOf(eventsPerSecond: number): BucketPolicy {
  const burst = Math.max(INTAKE_LIMITS.eventsMax, eventsPerSecond * INTAKE_LIMITS.burstSeconds);
  return { perSecond: eventsPerSecond, burst };
}
