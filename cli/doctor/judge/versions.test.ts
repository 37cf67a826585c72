import { describe, expect, test } from 'vitest';
import { judgeVersion } from './versions.ts';

const verdictOf = (...of: Parameters<typeof judgeVersion>) => judgeVersion(...of).verdict;

describe('versions', () => {
  test('numbers are compared place by place, not as text', () => {
    expect(verdictOf('Redis', '6.10.0')).toBe('ok');
    expect(verdictOf('Redis', '6.2')).toBe('ok');
    expect(verdictOf('Redis', '6.1.9')).toBe('problem');
    expect(verdictOf('Node', 'v24.0.0')).toBe('ok');
    expect(verdictOf('Node', 'v22.21.1')).toBe('problem');
  });

  test('words around the number are left aside', () => {
    expect(verdictOf('PostgreSQL', '15.14 (Debian 15.14-0+deb12u1)')).toBe('ok');
    expect(verdictOf('PostgreSQL', '14.19')).toBe('problem');
  });

  test('one that may do but was never tried is a warning', () => {
    expect(verdictOf('ClickHouse', '24.8.1.2684')).toBe('warning');
    expect(verdictOf('ClickHouse', '23.8.16.16')).toBe('problem');
  });

  test('one that names no number is unknown', () => {
    expect(verdictOf('Temporal', 'nightly')).toBe('unknown');
  });

  test('a problem says which one is needed', () => {
    expect(judgeVersion('PostgreSQL', '13.2')).toMatchObject({
      says: '13.2 is older than 15: the schema is written for it',
      next: 'upgrade PostgreSQL to 15 or later',
    });
  });
});
