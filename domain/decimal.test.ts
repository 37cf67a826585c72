import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { divideHalfAway, formatDecimal, multiplyToMinor, parseDecimal, parseWhole } from './decimal.ts';
import { allocate, formatMoney, parseCurrency } from './money.ts';

describe('decimals', () => {
  test('reading and writing keep every digit', () => {
    for (const text of ['0', '12', '-0.5', '0.000105', '99999999999999999999.000000000001']) {
      expect(formatDecimal(parseDecimal(text))).toBe(text);
    }
  });

  test('trailing zeros have one spelling', () => {
    expect(formatDecimal(parseDecimal('1.500'))).toBe('1.5');
    expect(parseWhole('12.000')).toBe(12n);
  });

  test.each(['', '1e3', '.5', '1.', '+1', ' 1', '0x1', 'NaN'])('"%s" is refused', (text) => {
    expect(() => parseDecimal(text)).toThrow('is not a plain decimal');
  });

  test('halves round away from zero, on both sides', () => {
    expect([15n, 25n, -15n, -25n, 14n, -14n].map((n) => divideHalfAway(n, 10n))).toEqual([2n, 3n, -2n, -3n, 1n, -1n]);
  });

  test("Stripe's documented example: 0.05 cents times 30 is 2 cents", () => {
    expect(multiplyToMinor(30n, parseDecimal('0.05'))).toBe(2n);
  });

  test('rounding moves a value by at most one half', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
        fc.bigInt({ min: 1n, max: 10n ** 12n }),
        (n, d) => {
          const gap = 2n * (divideHalfAway(n, d) * d - n);
          expect(gap <= d && gap >= -d).toBe(true);
        },
      ),
    );
  });
});

describe('money', () => {
  test('is written with the decimals of its currency', () => {
    expect(formatMoney(1_234_567n, 'usd')).toBe('12,345.67');
    expect(formatMoney(-5n, 'usd')).toBe('-0.05');
    expect(formatMoney(1_234_567n, 'jpy')).toBe('1,234,567');
    expect(formatMoney(1_234_567n, 'kwd')).toBe('1,234.567');
  });

  test('a currency of unknown decimals is refused, not guessed', () => {
    expect(() => parseCurrency('xyz')).toThrow('CURRENCY_EXPONENTS');
  });

  test('an allocation always adds up to its total', () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), weights, (total, parts) => {
        fc.pre(parts.some((part) => part > 0n));
        expect(allocate(total, parts).reduce((a, b) => a + b, 0n)).toBe(total);
      }),
    );
  });
});
