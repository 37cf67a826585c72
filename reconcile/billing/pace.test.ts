import { describe, expect, test } from 'vitest';
import { createLog } from '../../platform/log.ts';
import { takeTokens, type Bucket } from '../../platform/token-bucket.ts';
import { createPace, type PaceOptions } from './pace.ts';
import { openPace } from './shared-pace.ts';

/** Time that passes only by waiting, and a shared bucket on it. */
function createWorld(given: { redis: boolean; perSecond?: number }) {
  let nowMs = 0;
  let bucket: Bucket | undefined;
  const options: PaceOptions = {
    name: 'test',
    perSecond: given.perSecond ?? 20,
    now: () => nowMs,
    wait: async (delayMs) => Promise.resolve((nowMs += delayMs)),
    buckets: {
      take: async (_key, cost, policy) => {
        if (!given.redis) throw new Error('Redis is away');
        const taken = takeTokens(bucket, cost, policy, nowMs);
        bucket = taken.bucket;
        return Promise.resolve(taken);
      },
    },
  };
  return { options, now: () => nowMs };
}

const call = async (pace: () => Promise<void>, times: number) =>
  Promise.all(Array.from({ length: times }, async () => pace()));

describe('the pace of calls', () => {
  test('lets all processes together send no more than the rate, and makes the rest wait', async () => {
    const world = createWorld({ redis: true });
    await Promise.all([call(createPace(world.options), 50), call(createPace(world.options), 55)]);
    // 5 at once, 100 more at 20 a second.
    expect(world.now()).toBeGreaterThanOrEqual(5_000);
    expect(world.now()).toBeLessThan(5_300);
  });

  test('slows down to a quarter and goes on when Redis is away', async () => {
    const world = createWorld({ redis: false });
    await call(createPace(world.options), 51);
    expect(world.now()).toBe(10_000);
  });

  test('gives a call back to be retried when none is free within half a minute, and the next ones go on', async () => {
    const world = createWorld({ redis: true, perSecond: 1 });
    const pace = createPace(world.options);
    const outcomes = await Promise.allSettled(Array.from({ length: 33 }, async () => pace()));
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(2);
    expect(refused[0]).toMatchObject({ reason: { kind: 'unavailable', code: 'STRIPE_RATE_LIMITED' } });
    await world.options.wait(5_000);
    await pace();
  });

  test.each([
    ['sk_live_x', undefined, undefined, true],
    ['rk_test_x', undefined, undefined, true],
    ['sk_test_x', 'http://127.0.0.1:1', undefined, false],
    ['sk_test_x', 'http://127.0.0.1:1', '50', true],
  ])('with %s at %s and a rate of %s: limited %s', (key, url, rate, limited) => {
    const log = createLog('reconcile', 'silent');
    const { pace, close } = openPace({ key, url, rate, redisUrl: 'redis://127.0.0.1:1', log });
    expect(pace !== undefined).toBe(limited);
    close();
  });
});
