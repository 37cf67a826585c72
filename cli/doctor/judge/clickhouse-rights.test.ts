import { describe, expect, test } from 'vitest';
import { GRANTS, judgeClickHouseRights } from './clickhouse-rights.ts';

const FINE = { embedded: false, user: 'trueup', database: 'billing', held: GRANTS.map(({ grant }) => grant) };

describe('rights in ClickHouse', () => {
  test('a user with every grant is ok', () => {
    expect(judgeClickHouseRights(FINE).map(({ verdict }) => verdict)).toEqual(['ok']);
  });

  test.each(GRANTS)('without $grant it is a problem', ({ grant }) => {
    expect(judgeClickHouseRights({ ...FINE, held: FINE.held.filter((one) => one !== grant) })).toMatchObject([
      { verdict: 'problem', next: `GRANT ${grant} ON billing.* TO trueup` },
    ]);
  });

  test('what the embedded engine would say is not taken for an answer', () => {
    expect(judgeClickHouseRights({ ...FINE, embedded: true }).map(({ verdict }) => verdict)).toEqual(['unknown']);
    expect(judgeClickHouseRights({ ...FINE, held: null }).map(({ verdict }) => verdict)).toEqual(['unknown']);
  });
});
