import { describe, expect, test } from 'vitest';
import { judgeRedis } from './redis.ts';

const FINE = { redis_version: '7.0.15', maxmemory_policy: 'noeviction', aof_enabled: '1' };

function verdictsOf(changes: Record<string, string>): Record<string, string> {
  const findings = judgeRedis(new Map(Object.entries({ ...FINE, ...changes })));
  return Object.fromEntries(findings.map(({ check, verdict }) => [check, verdict]));
}

describe('redis', () => {
  test('one that keeps everything is ok', () => {
    expect(verdictsOf({})).toEqual({ version: 'ok', 'maxmemory-policy': 'ok', appendonly: 'ok' });
  });

  test('one that evicts is a problem', () => {
    expect(verdictsOf({ maxmemory_policy: 'allkeys-lru' })['maxmemory-policy']).toBe('problem');
  });

  test('one that forgets at a restart is a warning', () => {
    expect(verdictsOf({ aof_enabled: '0' })['appendonly']).toBe('warning');
  });

  test('what it does not tell is unknown', () => {
    expect(judgeRedis(new Map()).map(({ verdict }) => verdict)).toEqual(['unknown', 'unknown', 'unknown']);
  });
});
