// The usage door in memory, for tests of this room alone: a closed period whose hours are given. What the real door
// promises is tested in aggregate/ and end to end.

import type { HourTotal, LateTotal, Miscount, NamespaceTotal, ShortSource } from '../../aggregate/usage.ts';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { METERS } from '../../domain/meter.ts';
import type { ClosedUsage } from '../activities/deps.ts';

export type MemoryHour = HourTotal & { readonly account: string };

export type MemoryUsage = ClosedUsage & {
  /** A test may change them while the period runs. */
  readonly hours: MemoryHour[];
  late: LateTotal[];
  short: ShortSource[];
  /** Messages of the log that became nothing. */
  lost: bigint;
  rollups: Miscount[];
  duplicates: Miscount[];
  /** The truth has a hole. */
  restoring: boolean;
  /** So many checkRolledUp calls answer ROLLUP_BEHIND first. */
  behind: number;
  /** Null until the close takes its barrier. */
  barrier: readonly bigint[] | null;
};

/** Every account has one namespace, `main.<account>`. */
export function createMemoryUsage(given: readonly MemoryHour[]): MemoryUsage {
  const hours = [...given];
  const totals = computeTotals(hours);
  const usage: MemoryUsage = {
    hours,
    late: [],
    short: [],
    lost: 0n,
    rollups: [],
    duplicates: [],
    restoring: false,
    behind: 0,
    barrier: null,
    fetchEndOffsets: async () => Promise.resolve([10n, 20n]),
    takeBarrier: async () => {
      usage.barrier = [8n, 16n];
      return Promise.resolve(usage.barrier);
    },
    fetchBarrier: async () => Promise.resolve(usage.barrier),
    fetchAccountHours: async (account, { startAtMs, endAtMs }) =>
      Promise.resolve(
        hours.filter((hour) => hour.account === account && hour.hourAtMs >= startAtMs && hour.hourAtMs < endAtMs),
      ),
    isBeingRestored: async () => Promise.resolve(usage.restoring),
    checkRolledUp: async () => {
      if (usage.behind === 0) return Promise.resolve();
      usage.behind -= 1;
      throw new TrueupError({ kind: 'unavailable', code: 'ROLLUP_BEHIND', message: 'rollups trail the barrier' });
    },
    closePeriod: async (period) =>
      Promise.resolve({ period: period.key, barrier: [8n, 16n], digest: 'digest', events: BigInt(hours.length) }),
    fetchClosedHours: async (_period, account) => Promise.resolve(hours.filter((hour) => hour.account === account)),
    fetchClosedHoursOf: async () => Promise.resolve(Map.groupBy(hours, ({ account }) => account)),
    fetchClosedTotals: async () => Promise.resolve(totals),
    fetchLateTotals: async () => Promise.resolve(usage.late),
    fetchIngestCounts: async () => {
      const accepted = BigInt(hours.length);
      return Promise.resolve({
        messages: accepted + usage.lost,
        accepted,
        rejected: 0n,
        rejectedByReason: {},
        conflicts: 0n,
        unique: accepted,
      });
    },
    fetchManifestEvents: async () => Promise.resolve(null),
    fetchShortSources: async () => Promise.resolve(usage.short),
    fetchMiscounts: async () => Promise.resolve({ rollups: usage.rollups, duplicates: usage.duplicates }),
    recordAdjustments: async ({ key }) => Promise.resolve({ period: key, k: null, adjustments: [] }),
  };
  return usage;
}

function computeTotals(hours: readonly MemoryHour[]): NamespaceTotal[] {
  const accounts = [...new Set(hours.map(({ account }) => account))].sort();
  return accounts.flatMap((account) =>
    METERS.flatMap((meter): NamespaceTotal[] => {
      const own = hours.filter((hour) => hour.account === account && hour.meter === meter);
      if (own.length === 0) return [];
      const quantity = own.reduce((sum, hour) => sum + hour.quantity, 0n);
      return [{ account, namespace: `main.${account}`, meter, quantity, events: BigInt(own.length) }];
    }),
  );
}
