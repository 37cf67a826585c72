import { describe, expect, test } from 'vitest';
import { judgeApis, judgeGroup } from './kafka.ts';

const KEYS = [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 66];
const apis = (changes: Readonly<Record<number, number>> = {}) =>
  new Map(KEYS.map((key) => [key, { min: changes[key] ?? 0, max: 20 }]));

describe('protocol', () => {
  test('a broker that takes our requests and is new enough is ok', () => {
    expect(judgeApis(apis())).toMatchObject([{ verdict: 'ok' }]);
  });

  test('a request that the broker has given up is a problem by name', () => {
    expect(judgeApis(apis({ 1: 12 }))).toMatchObject([
      { verdict: 'problem', says: 'it no longer takes Fetch as we send it' },
    ]);
  });

  test('an old broker is a problem, a silent one unknown', () => {
    const old = apis();
    old.delete(66);
    expect(judgeApis(old)).toMatchObject([{ verdict: 'problem', says: 'it is older than Kafka 3.0' }]);
    expect(judgeApis(new Map())).toMatchObject([{ verdict: 'unknown' }]);
  });
});

describe('consumer group', () => {
  test('one that reads is ok, whatever waits', () => {
    expect(judgeGroup('sink', { members: 2, committed: true, lag: 7n })).toMatchObject({
      verdict: 'ok',
      says: '2 members, 7 records wait',
    });
  });

  test('one that nobody is in, or that never committed, is a warning', () => {
    expect(judgeGroup('sink', { members: 0, committed: true, lag: 0n }).verdict).toBe('warning');
    expect(judgeGroup('sink', { members: 1, committed: false, lag: 5n }).verdict).toBe('warning');
    expect(judgeGroup('sink', { members: 1, committed: false, lag: 0n }).verdict).toBe('ok');
  });
});
