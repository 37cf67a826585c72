import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { METERS } from '../../domain/meter.ts';
import { computeCarry, type Carry, type CarriedCase } from './carry.ts';
import { toCaseId } from './key.ts';
import { CASE_STATES, applyCaseEvent, reasonOf } from './states.ts';

const period = '2026-10';
const run = { run: 'close-2026-10-r2', period };
type Found = Parameters<typeof computeCarry>[1][number];

const found = (over: Partial<Found> = {}): Found => ({
  account: 'acme',
  code: 'USAGE_LATE',
  meter: 'actions',
  currency: 'usd',
  amountMinor: 500n,
  status: 'open',
  ...over,
});
const caseId = toCaseId({ period, ...found() });
const known = (over: Partial<CarriedCase> = {}): CarriedCase => ({
  caseId,
  state: 'open',
  amountMinor: 500n,
  reason: null,
  lastRun: 'close-2026-10',
  ...over,
});
const said = (carry: Carry) => carry.events.map(({ event }) => event);

/** The cases as they stand after a carry: what the database does with it. */
function carryOut(cases: readonly CarriedCase[], carry: Carry): CarriedCase[] {
  const opened = carry.opened.map((one): CarriedCase => ({ ...one, state: 'open', reason: null, lastRun: run.run }));
  const moved = cases.map((one) => {
    let after = { ...one, lastRun: run.run };
    for (const { event } of carry.events.filter((entry) => entry.caseId === one.caseId)) {
      const step = applyCaseEvent(after.state, event);
      if (!step.ok) throw new Error(step.why);
      const amountMinor = event.kind === 'amount-changed' ? BigInt(event.toMinor) : after.amountMinor;
      after = { ...after, state: step.state, amountMinor, reason: reasonOf(event) };
    }
    return after;
  });
  return [...moved, ...opened];
}

describe('carrying cases through a run', () => {
  test('opens one case per key, and none for what was accepted by rule', () => {
    const carry = computeCarry(
      run,
      [found(), found({ meter: null }), found({ account: 'b', status: 'auto-accepted' })],
      [],
    );
    expect(carry.opened.map((one) => one.caseId)).toEqual([
      '2026-10.acme.USAGE_LATE.actions.usd',
      '2026-10.acme.USAGE_LATE.usd',
    ]);
    expect(carry.events).toEqual([]);
  });

  test('notes changed money and leaves the case where it stands', () => {
    const carry = computeCarry(run, [found({ amountMinor: -20n })], [known({ state: 'investigating' })]);
    expect(said(carry)).toEqual([{ kind: 'amount-changed', run: run.run, fromMinor: '500', toMinor: '-20' }]);
  });

  test('closes what is gone, with the run that did not find it', () => {
    for (const state of CASE_STATES) {
      const events = said(computeCarry(run, [], [known({ state })]));
      expect(events).toEqual(state === 'closed' ? [] : [{ kind: 'vanished', run: run.run }]);
    }
  });

  test('reopens a repaired or closed case that is found again, and an acceptance only when the money changed', () => {
    const reopened = (over: Partial<CarriedCase>, amountMinor = 500n) =>
      said(computeCarry(run, [found({ amountMinor })], [known(over)])).flatMap((event) =>
        event.kind === 'reopened' ? [event.reason] : [],
      );
    expect(reopened({ state: 'repaired' })).toEqual(['still found in run close-2026-10-r2']);
    expect(reopened({ state: 'closed', reason: 'explained' })).toEqual(['found again in run close-2026-10-r2']);
    expect(reopened({ state: 'accepted', reason: 'small' })).toEqual([]);
    expect(reopened({ state: 'accepted', reason: 'small' }, 50_000n)).toEqual([
      'the money changed in run close-2026-10-r2',
    ]);
    expect(reopened({ state: 'written-off', reason: 'gone' })).toEqual([]);
  });

  test('leaves alone what a person did after the very run that is carried again', () => {
    for (const state of ['repaired', 'accepted', 'closed'] as const) {
      expect(said(computeCarry(run, [found()], [known({ state, reason: 'explained', lastRun: run.run })]))).toEqual([]);
    }
  });

  test('carried twice for one run, the second time changes nothing', () => {
    const breaks = fc.uniqueArray(
      fc.record({
        account: fc.constantFrom('a', 'b', 'c'),
        code: fc.constantFrom('USAGE_LATE' as const, 'INVOICE_MISSING' as const),
        meter: fc.constantFrom(...METERS, null),
        currency: fc.constantFrom('usd' as const, 'jpy' as const),
        amountMinor: fc.bigInt(-3n, 3n),
        status: fc.constantFrom('open' as const, 'auto-accepted' as const),
      }),
      { selector: (one) => toCaseId({ period, ...one }) },
    );
    fc.assert(
      fc.property(
        breaks,
        breaks,
        fc.array(fc.constantFrom(...CASE_STATES), { maxLength: 20 }),
        (before, now, states) => {
          const cases = carryOut([], computeCarry({ ...run, run: 'close-2026-10' }, before, [])).map((one, index) => {
            const state = states[index] ?? 'open';
            return { ...one, state, reason: state === 'closed' ? 'said' : null, lastRun: 'close-2026-10' };
          });
          const after = carryOut(cases, computeCarry(run, now, cases));
          expect(computeCarry(run, now, after)).toEqual({ opened: [], events: [] });
          // Exactly what is found and waits for a person is unsettled or was accepted as it stands.
          const waiting = new Set(
            now.filter(({ status }) => status === 'open').map((one) => toCaseId({ period, ...one })),
          );
          for (const one of after) expect(one.state === 'closed').toBe(!waiting.has(one.caseId));
        },
      ),
    );
  });
});

describe('the id of a case', () => {
  test('differs for different keys', () => {
    const accounts = ['a', 'a-actions', 'actions'];
    const ids = accounts.flatMap((account) =>
      [...METERS, null].flatMap((meter) =>
        ['usd', 'jpy'].map((currency) => toCaseId({ period, account, code: 'X', meter, currency })),
      ),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});
