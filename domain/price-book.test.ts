import { describe, expect, test } from 'vitest';
import { METERS } from './meter.ts';
import { checkContractStarts, PLANS, type ContractPrice } from './price-book.ts';
import { agreedTermsAt } from './price-book-terms.ts';

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
    expect(check).toThrow(expect.objectContaining({ kind: 'rejected', code: 'CONTRACT_START_INVALID' }));
  });
});

describe('an account outside the currency of the list prices', () => {
  const octoberMs = Date.UTC(2026, 9, 1);
  const contracts = METERS.map((meter) => contract(octoberMs, meter));
  const yen = { account: 'acme', currency: 'jpy' as const, contracts, fees: [] };
  const fee = { effectiveFromMs: octoberMs, minimumMinor: 70_000n, basisPoints: 800n };
  const refusal = (missing: string) =>
    expect.objectContaining({
      kind: 'rejected',
      code: 'CURRENCY_UNPRICED',
      field: 'currency',
      next: expect.stringContaining(missing) as string,
    });

  test('needs its own price for every meter from its first day', () => {
    const partly = { ...yen, contracts: contracts.slice(1) };
    expect(() => agreedTermsAt(partly, 'developer', octoberMs)).toThrow(refusal('for actions'));
    const later = { ...yen, contracts: METERS.map((meter) => contract(createdAtMs, meter)) };
    expect(() => agreedTermsAt(later, 'developer', octoberMs)).toThrow(refusal('for actions, active_storage'));
    expect(agreedTermsAt(later, 'developer', createdAtMs).prices.actions.id).toContain('contract-acme');
  });

  test('needs its own fee where the plan has a minimum: an amount of another currency is never read as its own', () => {
    expect(() => agreedTermsAt(yen, 'business', octoberMs)).toThrow(refusal('a contract fee in jpy'));
    const agreed = agreedTermsAt({ ...yen, fees: [fee] }, 'business', octoberMs);
    expect(agreed.fee).toEqual({ minimumMinor: 70_000n, basisPoints: 800n });
    expect(agreedTermsAt(yen, 'developer', octoberMs).fee.minimumMinor).toBe(0n);
  });

  test('is the only one that needs them, but a contract fee replaces the plan’s for everybody', () => {
    const dollars = { ...yen, currency: 'usd' as const, contracts: [] };
    expect(agreedTermsAt(dollars, 'business', octoberMs).fee).toEqual(PLANS.business.fee);
    expect(agreedTermsAt({ ...dollars, fees: [fee] }, 'business', octoberMs).fee.minimumMinor).toBe(70_000n);
    expect(agreedTermsAt({ ...dollars, fees: [fee] }, 'business', octoberMs - 1).fee).toEqual(PLANS.business.fee);
  });
});
