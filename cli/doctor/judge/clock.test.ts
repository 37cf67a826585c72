import { describe, expect, test } from 'vitest';
import { judgeBrokerClock, judgeBusinessClock, judgeSkew } from './clock.ts';

const skewOf = (serverMs: number) => judgeSkew('Postgres', { beforeMs: 1_000_000, serverMs, afterMs: 1_000_400 });

describe('skew', () => {
  test('a reading within the round trip shows none', () => {
    expect(skewOf(1_000_399)).toMatchObject({ verdict: 'ok', says: 'none to be seen' });
  });

  test('a server ahead or behind is told so, and a minute is a problem', () => {
    expect(skewOf(1_003_000)).toMatchObject({ verdict: 'warning', says: 'Postgres is 2.6 s ahead of this machine' });
    expect(skewOf(997_000)).toMatchObject({ verdict: 'warning', says: 'Postgres is 3.0 s behind this machine' });
    expect(skewOf(1_060_400).verdict).toBe('problem');
    expect(skewOf(940_000).verdict).toBe('problem');
    expect(skewOf(1_001_000).verdict).toBe('ok');
  });
});

describe('business clock', () => {
  test('a simulated one must be set, and never with a live key', () => {
    expect(judgeBusinessClock({ mode: 'simulated', simulatedMs: 0, live: false }).verdict).toBe('ok');
    expect(judgeBusinessClock({ mode: 'simulated', simulatedMs: null, live: false }).verdict).toBe('problem');
    expect(judgeBusinessClock({ mode: 'simulated', simulatedMs: 0, live: true }).verdict).toBe('problem');
  });

  test("real months don't belong into a demo's database", () => {
    expect(judgeBusinessClock({ mode: 'wall', simulatedMs: null, live: true }).verdict).toBe('ok');
    expect(judgeBusinessClock({ mode: 'wall', simulatedMs: 0, live: false }).verdict).toBe('warning');
    expect(judgeBusinessClock({ mode: 'wall', simulatedMs: 0, live: true }).verdict).toBe('problem');
  });

  test("brokers' clocks are unknown where they matter", () => {
    expect(judgeBrokerClock('wall').map(({ verdict }) => verdict)).toEqual(['unknown']);
    expect(judgeBrokerClock('simulated')).toEqual([]);
  });
});
