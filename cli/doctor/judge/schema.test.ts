import { describe, expect, test } from 'vitest';
import type { SchemaPlan } from '../../../platform/schema-plan.ts';
import { judgeSchema } from './schema.ts';

const NOTHING: SchemaPlan = { expand: [], contract: [], newer: [] };
const file = (name: string) => ({ name, database: 'postgres' as const, phase: 'expand' as const, text: '' });

function verdictsOf(plan: Partial<SchemaPlan>): string[] {
  return judgeSchema({ ...NOTHING, ...plan }, 9).map(({ verdict }) => verdict);
}

describe('schema', () => {
  test('all applied is ok', () => {
    expect(judgeSchema(NOTHING, 9)).toMatchObject([
      { verdict: 'ok', says: 'all 9 files are applied, none has changed' },
    ]);
  });

  test('a pending file is a problem and names itself', () => {
    expect(judgeSchema({ ...NOTHING, expand: [file('ingest/009_x')] }, 9)).toMatchObject([
      { verdict: 'problem', says: '1 of 9 are pending: ingest/009_x', next: 'run "trueup migrate"' },
    ]);
  });

  test('what a newer release added is a warning, what it took away a problem', () => {
    expect(verdictsOf({ newer: [{ name: 'a', hash: '', phase: 'expand' }] })).toEqual(['warning']);
    expect(verdictsOf({ newer: [{ name: 'a', hash: '', phase: 'contract' }] })).toEqual(['problem']);
  });

  test('a contract step that waits is a warning', () => {
    expect(verdictsOf({ contract: [file('a')] })).toEqual(['warning']);
  });
});
