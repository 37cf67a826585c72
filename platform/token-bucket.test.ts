import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { takeTokens, type Bucket } from './token-bucket.ts';

const policy = { perSecond: 10, burst: 50 };

describe('a token bucket', () => {
  test('never lets through more than burst + rate × time, whatever the order and size of the requests', () => {
    const requests = fc.array(fc.record({ waitMs: fc.nat(2_000), cost: fc.integer({ min: 1, max: 50 }) }));
    fc.assert(
      fc.property(requests, (list) => {
        let [bucket, nowMs, passed]: [Bucket | undefined, number, number] = [undefined, 0, 0];
        for (const { waitMs, cost } of list) {
          nowMs += waitMs;
          const taken = takeTokens(bucket, cost, policy, nowMs);
          bucket = taken.bucket;
          if (taken.allowed) passed += cost;
          expect(passed).toBeLessThanOrEqual(policy.burst + (nowMs * policy.perSecond) / 1000 + 1e-6);
        }
      }),
    );
  });

  test('says when the same request will pass, and it passes then', () => {
    const emptied = takeTokens(undefined, 50, policy, 0);
    expect(emptied).toMatchObject({ allowed: true, remaining: 0, retryAfterMs: 0 });
    const refused = takeTokens(emptied.bucket, 7, policy, 0);
    expect(refused).toMatchObject({ allowed: false, retryAfterMs: 700 });
    expect(takeTokens(refused.bucket, 7, policy, 699).allowed).toBe(false);
    expect(takeTokens(refused.bucket, 7, policy, 700).allowed).toBe(true);
  });

  test('takes nothing for a refused request, and a clock that steps back adds nothing', () => {
    const { bucket } = takeTokens(undefined, 40, policy, 1_000);
    expect(takeTokens(bucket, 11, policy, 0)).toMatchObject({ allowed: false, remaining: 10 });
  });
});
