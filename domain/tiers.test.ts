import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeTiers, labelOf, NO_TIERS, OTHER, type TierPolicy, type TierState } from './tiers.ts';

const POLICY: TierPolicy = { maximum: 5, enterAt: 4, leaveAt: 7, minimumStayMs: 100, stalenessMs: 50 };
const nobody = new Set<string>();
const names = Array.from({ length: 12 }, (_, index) => `t${index}`);
const step = (state: TierState, ranking: readonly string[], nowMs: number, pinned = nobody) =>
  computeTiers(state, { ranking, pinned, nowMs }, POLICY);

describe('tenant tiers', () => {
  test('the largest get a label, the rest share one', () => {
    const state = step(NO_TIERS, names, 0);
    expect([...state.labelled.keys()]).toEqual(['t0', 't1', 't2', 't3']);
    expect(labelOf(state, 't4')).toBe(OTHER);
  });

  test('a tenant between entering and leaving rank keeps what it has', () => {
    const first = step(NO_TIERS, names, 0);
    const swapped = ['t4', 't5', 't6', 't7', 't0', 't1', 't2', 't3'];
    const later = step(first, swapped, 1_000);
    expect(labelOf(later, 't0')).toBe('t0');
    expect(labelOf(later, 't3')).toBe(OTHER);
  });

  test('nobody leaves before the minimum stay', () => {
    const first = step(NO_TIERS, names, 0);
    const reversed = names.toReversed();
    expect(labelOf(step(first, reversed, 99), 't0')).toBe('t0');
    expect(labelOf(step(first, reversed, 100), 't0')).toBe(OTHER);
  });

  test('a demoted series stays visible for one staleness interval', () => {
    const demoted = step(step(NO_TIERS, names, 0), names.toReversed(), 100);
    expect(demoted.leaving.has('t0')).toBe(true);
    expect(step(demoted, names.toReversed(), 149).leaving.has('t0')).toBe(true);
    expect(step(demoted, names.toReversed(), 150).leaving.has('t0')).toBe(false);
  });

  test('a pinned tenant is labelled whatever it uses', () => {
    const state = step(NO_TIERS, names, 0, new Set(['t11']));
    expect(labelOf(step(state, names, 10_000, new Set(['t11'])), 't11')).toBe('t11');
  });

  const moves = fc.array(
    fc.record({
      ranking: fc.shuffledSubarray(names),
      afterMs: fc.integer({ min: 0, max: 200 }),
      counts: fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(9)), { maxLength: 20 }),
    }),
    { maxLength: 30 },
  );

  test('through any promotions and demotions, all series together grow as the total does, between any two scrapes', () => {
    fc.assert(
      fc.property(moves, (sequence) => {
        let state = NO_TIERS;
        let nowMs = 0;
        let total = 0;
        const series = new Map<string, number>();
        for (const { ranking, afterMs, counts } of sequence) {
          nowMs += afterMs;
          state = step(state, ranking, nowMs);
          const before = new Map(series);
          const totalBefore = total;
          for (const [tenant, count] of counts) {
            const label = labelOf(state, tenant);
            series.set(label, (series.get(label) ?? 0) + count);
            total += count;
          }
          const grown = [...series].reduce((sum, [label, value]) => sum + value - (before.get(label) ?? 0), 0);
          expect(grown).toBe(total - totalBefore);
          expect([...series.values()].reduce((a, b) => a + b, 0)).toBe(total);
        }
      }),
    );
  });

  test('through any promotions and demotions, there are never more labels than the maximum', () => {
    fc.assert(
      fc.property(moves, (sequence) => {
        let state = NO_TIERS;
        let nowMs = 0;
        for (const { ranking, afterMs } of sequence) {
          nowMs += afterMs;
          const next = step(state, ranking, nowMs);
          expect(next.labelled.size).toBeLessThanOrEqual(POLICY.maximum);
          for (const [tenant, since] of state.labelled) {
            if (!next.labelled.has(tenant)) expect(nowMs - since).toBeGreaterThanOrEqual(POLICY.minimumStayMs);
          }
          state = next;
        }
      }),
    );
  });
});
