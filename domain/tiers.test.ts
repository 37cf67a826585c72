import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  computeTiers,
  labelOf,
  NO_TIERS,
  OTHER,
  TENANT_TIERS,
  tierOfRank,
  type TierPolicy,
  type TierState,
} from './tiers.ts';

const POLICY: TierPolicy = {
  maximum: 5,
  pinnedMaximum: 3,
  enterAt: 4,
  leaveAt: 7,
  minimumStayMs: 100,
  stalenessMs: 50,
};
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

  test('a pinned tenant is labelled whatever it uses, and unpinned it goes by usage again', () => {
    const pinned = new Set(['t11']);
    const state = step(NO_TIERS, names, 0, pinned);
    expect(labelOf(step(state, names, 10_000, pinned), 't11')).toBe('t11');
    expect(labelOf(step(state, names, 99), 't11')).toBe('t11');
    expect(labelOf(step(state, names, 100), 't11')).toBe(OTHER);
  });

  test('where places are short a pin takes that of the smallest who may leave, else of the smallest', () => {
    const first = step(NO_TIERS, names, 0, new Set(['t11']));
    expect(first.labelled.size).toBe(POLICY.maximum);
    const later = ['t4', ...names.filter((name) => name !== 't4')];
    const renewed = step(step(NO_TIERS, later, 0), names, 90, new Set(['t10']));
    expect([...renewed.labelled.keys()]).toEqual(['t10', 't0', 't1', 't2', 't4']);
    expect([...step(renewed, names, 110, new Set(['t10', 't11'])).labelled.keys()].sort()).toEqual(
      ['t10', 't11', 't0', 't1', 't2'].sort(),
    );
    expect([...step(first, names, 50, new Set(['t11', 't10'])).labelled.keys()]).toEqual([
      't11',
      't10',
      't0',
      't1',
      't2',
    ]);
  });

  test('more pins than there is room for are the oldest ones', () => {
    const state = step(NO_TIERS, names, 0, new Set(['t11', 't10', 't9', 't8', 't7', 't6']));
    expect([...state.labelled.keys()]).toEqual(['t11', 't10', 't9', 't0', 't1']);
  });

  test('a tenant named like the rest has no series that could be forgotten with it', () => {
    const state = step(NO_TIERS, [OTHER, ...names], 0, new Set([OTHER]));
    expect(state.labelled.has(OTHER)).toBe(false);
    expect(labelOf(state, OTHER)).toBe(OTHER);
  });

  test('a rank gets a label, keeps what it has, or loses it', () => {
    const tiers = [1, 90, 91, 120, 121, undefined].map((rank) => tierOfRank(rank, TENANT_TIERS));
    expect(tiers).toEqual(['enters', 'enters', 'keeps', 'keeps', 'leaves', 'leaves']);
  });
});

/** Any usage, any pins (more than there may be, too), any time between looks, any counts. */
const looks = fc.array(
  fc.record({
    ranking: fc.shuffledSubarray(names),
    pinned: fc.shuffledSubarray(names, { maxLength: 5 }).map((some) => new Set(some)),
    afterMs: fc.integer({ min: 0, max: 200 }),
    counts: fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(9)), { maxLength: 20 }),
  }),
  { maxLength: 30 },
);

type Look = { ranking: string[]; pinned: Set<string>; nowMs: number; before: TierState; after: TierState };

/** Goes through the looks and hands over each with the tiers before and after it. */
function follow<T extends { ranking: string[]; pinned: Set<string>; afterMs: number }>(
  sequence: readonly T[],
  check: (look: Look, of: T) => void,
): void {
  let before = NO_TIERS;
  let nowMs = 0;
  for (const of of sequence) {
    nowMs += of.afterMs;
    const { ranking, pinned } = of;
    const after = step(before, ranking, nowMs, pinned);
    check({ ranking, pinned, nowMs, before, after }, of);
    before = after;
  }
}

describe('through any promotions, demotions, pins and unpins', () => {
  test('all series together grow as the total does, between any two looks', () => {
    fc.assert(
      fc.property(looks, (sequence) => {
        let total = 0;
        const series = new Map<string, number>();
        follow(sequence, ({ after }, { counts }) => {
          const before = new Map(series);
          const totalBefore = total;
          for (const [tenant, count] of counts) {
            const label = labelOf(after, tenant);
            series.set(label, (series.get(label) ?? 0) + count);
            total += count;
          }
          const grown = [...series].reduce((sum, [label, value]) => sum + value - (before.get(label) ?? 0), 0);
          expect(grown).toBe(total - totalBefore);
          expect([...series.values()].reduce((a, b) => a + b, 0)).toBe(total);
        });
      }),
    );
  });

  test('there are never more labels than the maximum, and as many pins as may be have one', () => {
    fc.assert(
      fc.property(looks, (sequence) => {
        follow(sequence, ({ pinned, after }) => {
          expect(after.labelled.size).toBeLessThanOrEqual(POLICY.maximum);
          const held = [...pinned].slice(0, POLICY.pinnedMaximum);
          for (const tenant of held) expect(labelOf(after, tenant)).toBe(tenant);
        });
      }),
    );
  });

  test('nobody leaves before the minimum stay or within the leaving rank, unless a pin needs the place', () => {
    let displaced = 0;
    fc.assert(
      fc.property(looks, (sequence) => {
        follow(sequence, ({ ranking, pinned, nowMs, before, after }) => {
          const pins = new Set([...pinned].slice(0, POLICY.pinnedMaximum));
          const rankOf = (tenant: string) => (ranking.includes(tenant) ? ranking.indexOf(tenant) + 1 : 99);
          const isYoung = (tenant: string) => nowMs - (before.labelled.get(tenant) ?? 0) < POLICY.minimumStayMs;
          const unpinned = [...after.labelled.keys()].filter((tenant) => !pins.has(tenant));
          for (const gone of [...before.labelled.keys()].filter((tenant) => !after.labelled.has(tenant))) {
            if (!isYoung(gone) && rankOf(gone) > POLICY.leaveAt) continue;
            displaced += 1;
            // Full, of pins that came in and of those who had at least as good a right to stay.
            expect(after.labelled.size).toBe(POLICY.maximum);
            expect([...pins].some((tenant) => !before.labelled.has(tenant))).toBe(true);
            for (const stayed of unpinned) {
              expect(before.labelled.has(stayed)).toBe(true);
              if (isYoung(gone)) expect(isYoung(stayed)).toBe(true);
              if (isYoung(gone) === isYoung(stayed)) expect(rankOf(stayed)).toBeLessThanOrEqual(rankOf(gone));
            }
          }
        });
      }),
    );
    expect(displaced).toBeGreaterThan(0);
  });

  test('nobody enters below the entering rank without a pin, and a label keeps the time when it was given', () => {
    fc.assert(
      fc.property(looks, (sequence) => {
        follow(sequence, ({ ranking, pinned, nowMs, before, after }) => {
          for (const [tenant, since] of after.labelled) {
            expect(since).toBe(before.labelled.get(tenant) ?? nowMs);
            if (before.labelled.has(tenant) || pinned.has(tenant)) continue;
            expect(ranking.slice(0, POLICY.enterAt)).toContain(tenant);
          }
        });
      }),
    );
  });

  test('a series that is shown is labelled or leaving, never both, and leaves for one staleness interval', () => {
    fc.assert(
      fc.property(looks, (sequence) => {
        follow(sequence, ({ nowMs, before, after }) => {
          for (const [tenant, since] of after.leaving) {
            expect(after.labelled.has(tenant)).toBe(false);
            expect(nowMs - since).toBeLessThan(POLICY.stalenessMs);
          }
          for (const tenant of before.labelled.keys()) {
            expect(after.labelled.has(tenant) || after.leaving.get(tenant) === nowMs).toBe(true);
          }
          for (const [tenant, since] of before.leaving) {
            const isOver = nowMs - since >= POLICY.stalenessMs;
            expect(after.leaving.has(tenant)).toBe(!isOver && !after.labelled.has(tenant));
          }
        });
      }),
    );
  });
});
