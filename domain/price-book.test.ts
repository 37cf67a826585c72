import { describe, expect, test } from 'vitest';
import { METERS } from './meter.ts';
import { checkContractStarts, checkPricedInCurrency, PLANS, type ContractPrice } from './price-book.ts';

const createdAtMs = Date.UTC(2026, 9, 12, 8, 30);
const contract = (effectiveFromMs: number, meter: ContractPrice['meter'] = 'actions'): ContractPrice => ({
  meter,
  effectiveFromMs,
  tiers: PLANS.developer.prices[meter].tiers,
});

describe('a contract price', () => {
  test.each([
    ['the first of a month', Date.UTC(2026, 10, 1)],
    ["the account's creation", createdAtMs],
  ])('may start with %s', (_, startMs) => {
    expect(() => checkContractStarts('acme', [contract(startMs)], createdAtMs)).not.toThrow();
  });

  test.each([
    ['a millisecond into a month', Date.UTC(2026, 10, 1) + 1],
    ['a day inside a month', Date.UTC(2026, 9, 15)],
    ['midnight of the first elsewhere', Date.parse('2026-11-01T00:00:00+05:45')],
  ])('may not start with %s', (_, startMs) => {
    const check = () => checkContractStarts('acme', [contract(createdAtMs), contract(startMs)], createdAtMs);
    expect(check).toThrow(expect.objectContaining({ kind: 'rejected', code: 'PERIOD_INVALID' }));
  });
});

describe('an account outside the currency of the list prices', () => {
  const all = METERS.map((meter) => contract(Date.UTC(2026, 9, 1), meter));
  const refusal = expect.objectContaining({ kind: 'rejected', code: 'PLAN_UNKNOWN', field: 'currency' });

  test('needs its own price for every meter from its first day', () => {
    expect(() => checkPricedInCurrency('acme', 'eur', all, createdAtMs)).not.toThrow();
    expect(() => checkPricedInCurrency('acme', 'eur', all.slice(1), createdAtMs)).toThrow(refusal);
    const later = all.map((one) => ({ ...one, effectiveFromMs: Date.UTC(2026, 10, 1) }));
    expect(() => checkPricedInCurrency('acme', 'eur', later, createdAtMs)).toThrow(refusal);
  });

  test('is the only one that does', () => {
    expect(() => checkPricedInCurrency('acme', 'usd', [], createdAtMs)).not.toThrow();
  });
});
