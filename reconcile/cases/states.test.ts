import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CASE_STATES, applyCaseEvent, isSettled, reasonOf, type CaseEvent, type CaseState } from './states.ts';

const EVENTS: Readonly<Record<CaseEvent['kind'], CaseEvent>> = {
  opened: { kind: 'opened', run: 'r1', amountMinor: '5' },
  assigned: { kind: 'assigned', owner: 'jo' },
  'investigation-started': { kind: 'investigation-started' },
  'repair-planned': { kind: 'repair-planned', repair: 'p1' },
  'repair-dropped': { kind: 'repair-dropped', repair: 'p1', reason: 'wrong invoice' },
  repaired: { kind: 'repaired', repair: 'p1' },
  accepted: { kind: 'accepted', reason: 'below what a letter costs' },
  'written-off': { kind: 'written-off', reason: 'customer is gone' },
  closed: { kind: 'closed', reason: 'explained by contract' },
  vanished: { kind: 'vanished', run: 'r2' },
  reopened: { kind: 'reopened', reason: 'new evidence' },
  'amount-changed': { kind: 'amount-changed', run: 'r2', fromMinor: '5', toMinor: '6' },
  commented: { kind: 'commented', text: 'asked the source' },
  'evidence-linked': { kind: 'evidence-linked', evidence: 'ab', note: 'mail' },
};

const ALWAYS = ['amount-changed', 'commented', 'evidence-linked'];

/** Every arrow, written down independently of the table in the code: state, event, next state. */
const ARROWS = `
open assigned assigned | open investigation-started investigating | open repair-planned repair-planned
open accepted accepted | open written-off written-off | open closed closed | open vanished closed
assigned assigned assigned | assigned investigation-started investigating | assigned repair-planned repair-planned
assigned accepted accepted | assigned written-off written-off | assigned closed closed | assigned vanished closed
investigating assigned investigating | investigating repair-planned repair-planned | investigating accepted accepted
investigating written-off written-off | investigating closed closed | investigating vanished closed
repair-planned assigned repair-planned | repair-planned repair-dropped investigating | repair-planned repaired repaired
repair-planned written-off written-off | repair-planned vanished closed
repaired assigned repaired | repaired closed closed | repaired reopened investigating | repaired vanished closed
accepted closed closed | accepted reopened investigating | accepted vanished closed
written-off closed closed | written-off reopened investigating | written-off vanished closed
closed reopened open`
  .trim()
  .split(/[|\n]/)
  .map((arrow) => arrow.trim());

describe('the states of a case', () => {
  test('every event from every state goes where it should, or is refused', () => {
    const taken = CASE_STATES.flatMap((state) =>
      Object.values(EVENTS).flatMap((event) => {
        const step = applyCaseEvent(state, event);
        return step.ok ? [`${state} ${event.kind} ${step.state}`] : [];
      }),
    );
    const noted = CASE_STATES.flatMap((state) => ALWAYS.map((kind) => `${state} ${kind} ${state}`));
    expect(taken.sort()).toEqual([...ARROWS, ...noted].sort());
  });

  test('no sequence of events leads out of the states, and a settled case always has a reason', () => {
    const event = fc.constantFrom(...Object.values(EVENTS));
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        let state: CaseState = 'open';
        let reason: string | null = null;
        for (const one of events) {
          const step = applyCaseEvent(state, one);
          if (!step.ok) continue;
          state = step.state;
          reason = isSettled(state) ? (reasonOf(one) ?? reason) : null;
          expect(CASE_STATES).toContain(state);
          expect(isSettled(state)).toBe(reason !== null);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('nothing is settled, reopened or dropped without a reason that says something', () => {
    for (const blank of ['', '  ', '\n']) {
      for (const state of CASE_STATES) {
        for (const kind of ['accepted', 'written-off', 'closed', 'reopened'] as const) {
          expect(applyCaseEvent(state, { kind, reason: blank }).ok).toBe(false);
        }
        expect(applyCaseEvent(state, { kind: 'repair-dropped', repair: 'p1', reason: blank }).ok).toBe(false);
      }
    }
  });

  test('a refusal says where the case stands and what is possible', () => {
    expect(applyCaseEvent('closed', EVENTS.accepted)).toEqual({
      ok: false,
      why: "a case that is closed can't be accepted; possible are: commented, evidence-linked, amount-changed, reopened",
    });
  });
});
