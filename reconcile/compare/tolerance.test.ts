import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toBreaks, type Finding } from './break.ts';
import { computeMateriality, TOLERANCE } from './tolerance.ts';

const finding = (code: Finding['code'], amountMinor: bigint, meter: Finding['meter'] = 'actions'): Finding => ({
  code,
  account: 'acme',
  meter,
  amountMinor,
  currency: 'usd',
  hours: [],
  expected: '1',
  actual: '0',
});
const statuses = (findings: readonly Finding[]) => toBreaks(findings, 0, []).map(({ status }) => status);

describe('accepting by rule', () => {
  test('takes rounding up to the cap of an account, and opens all of it beyond', () => {
    const cap = TOLERANCE.roundingCapMinor;
    const [a, b] = [finding('ROUNDING', cap - 1n), finding('ROUNDING', -1n, 'active_storage')];
    expect(statuses([a, b])).toEqual(['auto-accepted', 'auto-accepted']);
    expect(statuses([a, { ...b, amountMinor: -2n }])).toEqual(['open', 'open']);
  });

  test('never takes anything else, however small, and leaves nothing out', () => {
    const codes = fc.constantFrom('TIER_MISMATCH', 'QTY_MISMATCH', 'TAX_MISMATCH', 'ROUNDING' as const);
    const findings = fc.array(fc.tuple(codes, fc.bigInt({ min: -9n, max: 9n })).map(([code, by]) => finding(code, by)));
    fc.assert(
      fc.property(findings, (some) => {
        const breaks = toBreaks(some, 0, []);
        expect(breaks.map(({ code, amountMinor }) => [code, amountMinor])).toEqual(
          some.map(({ code, amountMinor }) => [code, amountMinor]),
        );
        expect(breaks.every(({ code, status }) => code === 'ROUNDING' || status === 'open')).toBe(true);
      }),
    );
  });
});

describe('materiality', () => {
  test('is the greater of an absolute amount of the currency and a share of the invoice', () => {
    expect(computeMateriality('usd', 0n)).toBe(1_000n);
    expect(computeMateriality('usd', 1_000_000n)).toBe(1_000n);
    expect(computeMateriality('usd', -5_000_000n)).toBe(5_000n);
    expect(computeMateriality('jpy', 0n)).toBe(1_000n);
    expect(computeMateriality('kwd', 0n)).toBe(10_000n);
  });
});
