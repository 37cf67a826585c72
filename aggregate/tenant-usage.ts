// Usage per tenant as metrics, for the largest tenants by name and for the rest together. A live view of the day in
// business time, refreshed by looking; never billed from.
// Promises: between two looks the increments over all tenants' series equal the increment of the total.
// When it dies: counters start at zero, as Prometheus expects of a new process.

import { computeTiers, labelOf, NO_TIERS, TENANT_TIERS, type TierState } from '../domain/tiers.ts';
import { toIso } from '../domain/period.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import type { Metrics } from '../platform/metrics.ts';
import { QUERIES } from './queries.ts';

export type TenantUsageOptions = {
  readonly clickhouse: ClickHouse;
  readonly metrics: Metrics;
  /** Business time, epoch ms. */
  readonly now: () => Promise<number>;
  readonly pinned?: ReadonlySet<string>;
};

export type DayCounts = { readonly day: string; readonly counts: ReadonlyMap<string, number> };

/** What each tenant added since `previous`. A new day starts from nothing; usage that was taken back adds nothing. */
export function computeIncrements(previous: DayCounts | undefined, current: DayCounts): Map<string, number> {
  const before = previous?.day === current.day ? previous.counts : new Map<string, number>();
  const grown = [...current.counts].map(([tenant, count]) => [tenant, count - (before.get(tenant) ?? 0)] as const);
  return new Map(grown.filter(([, added]) => added > 0));
}

export type TenantUsage = { look(): Promise<void> };

export function createTenantUsage({ clickhouse, metrics, now, pinned = new Set() }: TenantUsageOptions): TenantUsage {
  let previous: DayCounts | undefined;
  let tiers: TierState = NO_TIERS;
  return {
    look: async () => {
      const nowMs = await now();
      const day = toIso(nowMs).slice(0, 10);
      const rows = await clickhouse.query<{ account: string; counted: string }>(QUERIES.eventsOfDay, { day });
      metrics.record('trueup_aggregate_active_tenants', {}, rows.length);
      const current = { day, counts: new Map(rows.map((row) => [row.account, Number(row.counted)])) };
      const shown = new Set([...tiers.labelled.keys(), ...tiers.leaving.keys()]);
      tiers = computeTiers(tiers, { ranking: rows.map((row) => row.account), pinned, nowMs }, TENANT_TIERS);
      for (const [tenant, added] of computeIncrements(previous, current)) {
        metrics.count('trueup_aggregate_tenant_events_total', { tenant: labelOf(tiers, tenant) }, added);
        metrics.count('trueup_aggregate_events_total', {}, added);
      }
      for (const tenant of shown) {
        if (tiers.labelled.has(tenant) || tiers.leaving.has(tenant)) continue;
        metrics.forget('trueup_aggregate_tenant_events_total', { tenant });
      }
      previous = current;
    },
  };
}
