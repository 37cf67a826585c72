import { describe, expect, test } from 'vitest';
import { judgeStripe } from './stripe.ts';

const METERS = ['actions', 'active_storage', 'retained_storage'];
const FINE = { livemode: false, asked: '2026-10-28.x', answered: '2026-10-28.x', meters: METERS };

function verdictsOf(changes: Partial<Parameters<typeof judgeStripe>[0]>, live = false): Record<string, string> {
  return Object.fromEntries(judgeStripe({ ...FINE, ...changes }, live).map(({ check, verdict }) => [check, verdict]));
}

describe('stripe', () => {
  test('an account in the mode of the key, in the pinned version, with our meters is ok', () => {
    expect(verdictsOf({})).toEqual({ 'key mode': 'ok', 'API version': 'ok', meters: 'ok' });
  });

  test('objects of another mode than the key are a problem', () => {
    expect(verdictsOf({ livemode: true })['key mode']).toBe('problem');
    expect(verdictsOf({ livemode: false }, true)['key mode']).toBe('problem');
  });

  test('another API version is a problem, none unknown', () => {
    expect(verdictsOf({ answered: '2024-06-20' })['API version']).toBe('problem');
    expect(verdictsOf({ answered: null })['API version']).toBe('unknown');
  });

  test('a missing meter is a warning', () => {
    expect(verdictsOf({ meters: METERS.slice(1) })['meters']).toBe('warning');
  });
});
