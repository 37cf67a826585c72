import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOUR_MS } from '../../domain/period.ts';
import { PLANS } from '../../domain/price-book.ts';
import { rateMeter, sumLines } from '../../domain/rating.ts';
import { compareTransmit, sumHours, type HourQuantities } from './transmit.ts';

const price = PLANS.business.prices.actions;
const worth = (quantity: bigint) => sumLines(rateMeter(price, quantity));
const sides = (own: HourQuantities, billers: HourQuantities) => ({
  account: 'acme',
  meter: 'actions' as const,
  worth,
  currency: 'usd' as const,
  own,
  billers,
});
const hours = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.bigInt({ min: 0n, max: 60_000_000n })), { maxLength: 12 })
  .map((entries) => new Map(entries.map(([hour, quantity]) => [hour * HOUR_MS, quantity])));

describe('leg L2, transmit', () => {
  test('a side compared with itself differs nowhere', () => {
    fc.assert(
      fc.property(hours, (own) => {
        expect(compareTransmit(sides(own, own))).toEqual([]);
      }),
    );
  });

  test("the breaks' money is exactly what the difference of the totals is worth", () => {
    fc.assert(
      fc.property(hours, hours, (own, billers) => {
        const money = compareTransmit(sides(own, billers)).reduce((sum, found) => sum + found.amountMinor, 0n);
        expect(money).toBe(worth(sumHours(own)) - worth(sumHours(billers)));
      }),
    );
  });

  test('what was not sent is under-billed, what was sent too much is over-billed', () => {
    fc.assert(
      fc.property(hours, hours, (own, billers) => {
        for (const { code, amountMinor } of compareTransmit(sides(own, billers))) {
          if (code === 'USAGE_NOT_SENT') expect(amountMinor).toBeGreaterThanOrEqual(0n);
          else expect(amountMinor).toBeLessThanOrEqual(0n);
        }
      }),
    );
  });

  test('the order in which hours arrive does not matter', () => {
    fc.assert(
      fc.property(hours, hours, (own, billers) => {
        const turned = (side: HourQuantities) => new Map([...side.entries()].reverse());
        expect(compareTransmit(sides(turned(own), turned(billers)))).toEqual(compareTransmit(sides(own, billers)));
      }),
    );
  });

  test('a dropped hour is named with its time and both totals', () => {
    const own = new Map([
      [0, 25_000_000n],
      [HOUR_MS, 10_000_000n],
    ]);
    expect(compareTransmit(sides(own, new Map([[0, 25_000_000n]])))).toEqual([
      {
        code: 'USAGE_NOT_SENT',
        account: 'acme',
        meter: 'actions',
        currency: 'usd',
        amountMinor: 5_000n,
        hours: [HOUR_MS],
        expected: '10000000',
        actual: '0',
      },
    ]);
  });

  test('usage within the allowance is a break of no money', () => {
    const [found] = compareTransmit(sides(new Map([[0, 7n]]), new Map()));
    expect(found).toMatchObject({ code: 'USAGE_NOT_SENT', amountMinor: 0n });
  });
});
