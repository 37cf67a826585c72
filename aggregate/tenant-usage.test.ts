import { describe, expect, test } from 'vitest';
import { computeIncrements } from './tenant-usage.ts';

const day = (date: string, counts: Record<string, number>) => ({ day: date, counts: new Map(Object.entries(counts)) });

describe('what tenants added since the last look', () => {
  test('is the difference of the day’s counts', () => {
    const added = computeIncrements(
      day('2026-10-01', { acme: 5, bolt: 2 }),
      day('2026-10-01', { acme: 9, bolt: 2, cove: 1 }),
    );
    expect(Object.fromEntries(added)).toEqual({ acme: 4, cove: 1 });
  });

  test('starts from nothing on a new day', () => {
    const added = computeIncrements(day('2026-10-01', { acme: 5 }), day('2026-10-02', { acme: 2 }));
    expect(Object.fromEntries(added)).toEqual({ acme: 2 });
  });

  test('never shrinks a counter when usage is taken back', () => {
    expect(computeIncrements(day('2026-10-01', { acme: 5 }), day('2026-10-01', { acme: 3 })).size).toBe(0);
  });
});
