import { expect, test } from 'vitest';
import { formatMeterIdentifier, parseMeterIdentifier } from './meter-identifier.ts';

const of = { customer: 'cus_NffrFeUfNV2Hib', meter: 'retained_storage', hourAtMs: Date.UTC(2026, 9, 3, 12) } as const;

test('an identifier says whose usage it is, and never repeats', () => {
  const made = Array.from({ length: 100 }, () => formatMeterIdentifier(of));
  expect(new Set(made).size).toBe(100);
  expect(made.every((identifier) => identifier.length <= 100)).toBe(true);
  expect(made.map(parseMeterIdentifier)).toEqual(made.map(() => of));
});

test.each(['', 'evt_1', 'cus_1.actions', 'cus_1.other.1759492800.0123456789ab', 'cus_1.actions.x.0123456789ab'])(
  'an identifier of somebody else names nobody: %j',
  (identifier) => {
    expect(parseMeterIdentifier(identifier)).toBeNull();
  },
);
