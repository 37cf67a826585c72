import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeCreditUse, isUsableFor, type OpenGrant } from './credits.ts';
import { parsePeriod } from './period.ts';

const october = parsePeriod('2026-10');
const grant = (id: string, over: Partial<OpenGrant> = {}): OpenGrant => ({
  id,
  amountMinor: 100n,
  remainingMinor: 100n,
  priority: 50,
  effectiveAtMs: 0,
  expiresAtMs: null,
  ...over,
});

describe('prepaid credit', () => {
  test('is used by priority, then sooner expiry, then earlier start, then id', () => {
    const grants = [
      grant('d'),
      grant('c'),
      grant('b', { effectiveAtMs: -1 }),
      grant('a', { expiresAtMs: october.endAtMs }),
      grant('z', { priority: 0 }),
    ];
    const use = computeCreditUse([450n], grants);
    expect(use.perGrant.map(({ grantId, amountMinor }) => [grantId, amountMinor])).toEqual([
      ['z', 100n],
      ['a', 100n],
      ['b', 100n],
      ['c', 100n],
      ['d', 50n],
    ]);
  });

  test('pays the charges in their order and never a credit', () => {
    const use = computeCreditUse([30n, -20n, 0n, 90n], [grant('a', { remainingMinor: 50n })]);
    expect(use.perCharge).toEqual([30n, 0n, 0n, 20n]);
  });

  test('may pay for a period that ends in the very instant in which it expires, and for none after', () => {
    expect(isUsableFor(grant('a', { expiresAtMs: october.endAtMs }), october)).toBe(true);
    expect(isUsableFor(grant('a', { expiresAtMs: october.endAtMs - 1 }), october)).toBe(false);
    expect(isUsableFor(grant('a', { effectiveAtMs: october.endAtMs }), october)).toBe(false);
    expect(isUsableFor(grant('a', { effectiveAtMs: october.endAtMs - 1 }), october)).toBe(true);
  });

  test('never pays more than is left or due, pays all it can, and does not depend on the order in which grants are told', () => {
    const minor = fc.bigInt({ min: -1000n, max: 10n ** 25n });
    const grants = fc.uniqueArray(
      fc.record({
        id: fc.string({ minLength: 1 }),
        left: fc.bigInt({ min: 0n, max: 10n ** 25n }),
        priority: fc.nat(3),
      }),
      { maxLength: 6, selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(fc.array(minor, { maxLength: 8 }), grants, (charges, told) => {
        const all = told.map(({ id, left, priority }) => grant(id, { remainingMinor: left, priority }));
        const use = computeCreditUse(charges, all);
        const sum = (parts: readonly bigint[]) => parts.reduce((a, b) => a + b, 0n);
        const due = sum(charges.map((charge) => (charge > 0n ? charge : 0n)));
        const left = sum(all.map(({ remainingMinor }) => remainingMinor));
        expect(sum(use.perCharge)).toBe(due < left ? due : left);
        expect(sum(use.perGrant.map(({ amountMinor }) => amountMinor))).toBe(sum(use.perCharge));
        for (const [index, paid] of use.perCharge.entries()) {
          expect(paid >= 0n && (paid === 0n || paid <= (charges[index] ?? 0n))).toBe(true);
        }
        expect(computeCreditUse(charges, all.toReversed())).toEqual(use);
      }),
    );
  });
});
