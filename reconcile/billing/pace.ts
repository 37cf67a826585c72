// Keeps all workers together below the biller's limit of calls per second: every call takes a token of one bucket in Redis,
// and waits for it instead of failing, up to a bound after which Temporal does the waiting.
// When Redis is away each process goes on by a bucket of its own at a quarter of the rate: a close slows down and never
// stops, four workers still stay below the limit, and beyond that the biller's own 429 is waited out like any other.

import { TrueupError } from '../../domain/contracts/errors.ts';
import type { SharedBuckets } from '../../platform/redis.ts';
import { takeTokens, type Bucket, type BucketPolicy } from '../../platform/token-bucket.ts';

/** Resolves when one call may go out. */
export type Pace = () => Promise<void>;

export type PaceOptions = {
  readonly buckets: Pick<SharedBuckets, 'take'>;
  /** One name per Stripe account, whichever process or task queue calls. */
  readonly name: string;
  readonly perSecond: number;
  /** Machine time, ms. */
  readonly now: () => number;
  readonly wait: (delayMs: number) => Promise<unknown>;
};

const WAIT_AT_MOST_MS = 30_000;
const WITHOUT_REDIS = 4;

/** Rate and burst add up to what may go out within any one second, and stay below 100 live and 25 in a sandbox. */
function toPolicy(perSecond: number): BucketPolicy {
  return { perSecond, burst: Math.max(1, Math.floor(perSecond / 4)) };
}

/** Calls of one process take their tokens in the order in which they asked. */
export function createPace(options: PaceOptions): Pace {
  let last: Promise<void> = Promise.resolve();
  const take = createTake(options);
  return async () => {
    const giveUpAtMs = options.now() + WAIT_AT_MOST_MS;
    const turn = last.then(async () => awaitToken(take, options, giveUpAtMs));
    // One that gave up holds nobody else back.
    last = turn.catch(() => undefined);
    return turn;
  };
}

type Take = () => Promise<number>;

async function awaitToken(take: Take, { now, wait, perSecond }: PaceOptions, giveUpAtMs: number): Promise<void> {
  for (;;) {
    const waitMs = await take();
    if (waitMs === 0) return;
    if (now() + waitMs > giveUpAtMs) {
      throw new TrueupError({
        kind: 'unavailable',
        code: 'STRIPE_RATE_LIMITED',
        message: `no call to Stripe was free within ${WAIT_AT_MOST_MS / 1000} s at ${perSecond} a second`,
        next: 'it is tried again; run fewer workers, or raise TRUEUP_STRIPE_RATE if Stripe allows more',
        context: { limitedBy: 'own-bucket', retryAfterMs: waitMs },
      });
    }
    await wait(waitMs);
  }
}

/** Takes a token and returns 0, or returns how long to wait for one. */
function createTake({ buckets, name, perSecond, now }: PaceOptions): Take {
  let own: Bucket | undefined;
  return async () => {
    try {
      return (await buckets.take(`stripe:${name}`, 1, toPolicy(perSecond))).retryAfterMs;
    } catch {
      const taken = takeTokens(own, 1, toPolicy(perSecond / WITHOUT_REDIS), now());
      own = taken.bucket;
      return taken.retryAfterMs;
    }
  };
}
