import { describe, expect, test } from 'vitest';
import { computeHolds, computeHoldState, formatHold, type Hold, type HoldKind } from './compute.ts';

const nowMs = Date.UTC(2026, 10, 3);
const hold = (over: Partial<Hold> = {}): Hold => ({
  id: '1',
  account: 'acme',
  kinds: ['finalization'],
  reason: 'chargeback under way',
  owner: 'jo',
  heldAtMs: nowMs - 10,
  expiresAtMs: nowMs + 10,
  released: null,
  ...over,
});
const idsFor = (holds: Hold[], account = 'acme', kind: HoldKind = 'finalization') =>
  computeHolds(holds, { account, kind, nowMs }).map(({ id }) => id);

describe('holds', () => {
  test('hold their account, or all accounts, and only what they name', () => {
    const holds = [hold(), hold({ id: '2', account: null, kinds: ['pushes', 'finalization'], heldAtMs: nowMs - 20 })];
    expect(idsFor(holds)).toEqual(['2', '1']);
    expect(idsFor(holds, 'beta')).toEqual(['2']);
    expect(idsFor(holds, 'acme', 'pushes')).toEqual(['2']);
    expect(idsFor([hold()], 'acme', 'pushes')).toEqual([]);
  });

  test('hold nothing from the instant they expire or are released', () => {
    const released = { atMs: nowMs, by: 'sam', reason: 'settled' };
    expect(idsFor([hold({ expiresAtMs: nowMs }), hold({ released })])).toEqual([]);
    expect(idsFor([hold({ expiresAtMs: nowMs + 1 })])).toEqual(['1']);
    expect(computeHoldState(hold({ released }), nowMs)).toBe('released');
    expect(computeHoldState(hold({ expiresAtMs: nowMs }), nowMs)).toBe('expired');
  });

  test('say who holds, why and how long', () => {
    expect(formatHold(hold({ account: null }))).toBe(
      'ON_HOLD: chargeback under way (jo, until 2026-11-03T00:00:00.010Z, all accounts)',
    );
  });
});
