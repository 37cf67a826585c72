import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR_MS } from '../../domain/period.ts';
import type { HourValue } from '../billing/port.ts';
import { computePushPlan } from './push-plan.ts';

const never = () => false;
const hour = (index: number, quantity: bigint): HourValue => ({
  meter: 'actions',
  hourAtMs: index * HOUR_MS,
  quantity,
});
const hours = fc
  .uniqueArray(fc.integer({ min: 0, max: 20 }), { maxLength: 10 })
  .chain((indices) => fc.tuple(...indices.map((index) => fc.bigInt({ min: 1n, max: 9n }).map((q) => hour(index, q)))));

/** What the biller holds after it was sent `values` on top of `before`. */
function apply(before: readonly HourValue[], values: readonly HourValue[]): HourValue[] {
  const held = new Map([...before, ...values].map((value) => [value.hourAtMs, value]));
  return [...held.values()].filter(({ quantity }) => quantity > 0n).sort((a, b) => a.hourAtMs - b.hourAtMs);
}

describe('the push plan', () => {
  test('makes the biller hold exactly the closed hours, whatever it held before', () => {
    fc.assert(
      fc.property(hours, hours, (closed, pushed) => {
        const { values } = computePushPlan({ closed, pushed, isTooOld: never });
        expect(apply(pushed, values)).toEqual(apply([], closed));
      }),
    );
  });

  test('is empty once it was carried out', () => {
    fc.assert(
      fc.property(hours, hours, (closed, pushed) => {
        const { values } = computePushPlan({ closed, pushed, isTooOld: never });
        expect(computePushPlan({ closed, pushed: apply(pushed, values), isTooOld: never }).values).toEqual([]);
      }),
    );
  });

  test('leaves out hours that are too old and counts them', () => {
    const plan = computePushPlan({ closed: [hour(0, 5n), hour(9, 5n)], pushed: [], isTooOld: (at) => at === 0 });
    expect(plan).toEqual({ values: [hour(9, 5n)], tooOld: 1 });
  });
});
