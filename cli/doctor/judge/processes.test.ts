import { describe, expect, test } from 'vitest';
import { judgeProcesses, judgeReadiness } from './processes.ts';

const ALL = ['ingest', 'aggregate', 'integrity', 'reconcile'].map((name) => ({
  id: `${name}-1`,
  name,
  schemaLevel: 5,
}));

describe('processes', () => {
  test('one of each is ok', () => {
    expect(judgeProcesses(ALL, 5).map(({ verdict }) => verdict)).toEqual(['ok']);
  });

  test('a missing one and an older release are warnings', () => {
    expect(judgeProcesses(ALL.slice(1), 5)).toMatchObject([
      { verdict: 'warning', says: 'no ingest runs on this database' },
    ]);
    expect(judgeProcesses(ALL, 6)).toMatchObject([{ verdict: 'ok' }, { check: 'release', verdict: 'warning' }]);
  });

  test('one that is not ready says why, and one that does not answer is a problem', () => {
    const checks = { databases: 'ok', log: 'no answer' };
    expect(judgeReadiness('a:1', { answered: true, ready: true, checks }).verdict).toBe('ok');
    expect(judgeReadiness('a:1', { answered: true, ready: false, checks })).toMatchObject({
      verdict: 'problem',
      says: 'not ready: log: no answer',
    });
    expect(judgeReadiness('a:1', { answered: false, why: 'refused' }).verdict).toBe('problem');
  });
});
