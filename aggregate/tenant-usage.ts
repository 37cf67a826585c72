// Usage per tenant as metrics, for the largest tenants by name and for the rest together. A live view of the day in
// business time, refreshed by looking; never billed from.
// Promises: between two looks the increments over all tenants' series equal the increment of the total. What was used
// between two looks is counted under the label that the tenant had at the first of them; a series begins at zero and stays
// one staleness interval behind its last increment, so that Prometheus sees both its ends.
// Pins that can't be read are those read last, so nobody is demoted because a database is away.
// When it dies: counters start at zero, as Prometheus expects of a new process; what the day had counted before is not
// counted again.

import { setTimeout as delay } from 'node:timers/promises';
import { toIso } from '../domain/period.ts';
import { computeTiers, labelOf, NO_TIERS, TENANT_TIERS, type TierState } from '../domain/tiers.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { QUERIES } from './queries.ts';

export type TenantUsageOptions = {
  readonly clickhouse: ClickHouse;
  readonly metrics: Metrics;
  readonly log: Pick<Log, 'warn'>;
  /** Business time, epoch ms: which day it is. */
  readonly now: () => Promise<number>;
  /** Machine time, monotonic: how long a label is kept. Scrapes happen in machine time. */
  readonly machineNowMs: () => number;
  /** Accounts that are always labelled, oldest pin first. */
  readonly fetchPinned: () => Promise<readonly string[]>;
};

export type DayCounts = { readonly day: string; readonly counts: ReadonlyMap<string, number> };

/** The events counted on the day of an instant, by account, largest first. */
export async function fetchDayCounts(clickhouse: ClickHouse, atMs: number): Promise<DayCounts> {
  const day = toIso(atMs).slice(0, 10);
  const rows = await clickhouse.query<{ account: string; counted: string }>(QUERIES.eventsOfDay, { day });
  return { day, counts: new Map(rows.map((row) => [row.account, Number(row.counted)])) };
}

/** What each tenant added since `previous`. A new day starts from nothing; usage that was taken back adds nothing. */
export function computeIncrements(previous: DayCounts, current: DayCounts): Map<string, number> {
  const before = previous.day === current.day ? previous.counts : new Map<string, number>();
  const grown = [...current.counts].map(([tenant, count]) => [tenant, count - (before.get(tenant) ?? 0)] as const);
  return new Map(grown.filter(([, added]) => added > 0));
}

export type TenantUsage = {
  look(): Promise<void>;
  /** Another process looks from now on; the next look here counts from where it then finds the day. */
  rest(): void;
};

export function createTenantUsage(options: TenantUsageOptions): TenantUsage {
  const { clickhouse, metrics, log, now, machineNowMs, fetchPinned } = options;
  let previous: DayCounts | undefined;
  let tiers: TierState = NO_TIERS;
  let pinned: ReadonlySet<string> = new Set();

  function count(current: DayCounts): void {
    metrics.record('trueup_aggregate_active_tenants', {}, current.counts.size);
    // A first look only says from where it counts.
    for (const [tenant, added] of computeIncrements(previous ?? current, current)) {
      metrics.count('trueup_aggregate_tenant_events_total', { tenant: labelOf(tiers, tenant) }, added);
      metrics.count('trueup_aggregate_events_total', {}, added);
    }
    previous = current;
  }

  function changeTiers(ranking: readonly string[]): void {
    const shown = new Set([...tiers.labelled.keys(), ...tiers.leaving.keys()]);
    tiers = computeTiers(tiers, { ranking, pinned, nowMs: machineNowMs() }, TENANT_TIERS);
    for (const tenant of tiers.labelled.keys()) {
      if (!shown.has(tenant)) metrics.count('trueup_aggregate_tenant_events_total', { tenant }, 0);
    }
    for (const tenant of shown) {
      if (tiers.labelled.has(tenant) || tiers.leaving.has(tenant)) continue;
      metrics.forget('trueup_aggregate_tenant_events_total', { tenant });
    }
  }

  return {
    look: async () => {
      const current = await fetchDayCounts(clickhouse, await now());
      try {
        pinned = new Set(await fetchPinned());
      } catch (error) {
        log.warn({ error: String(error) }, 'pinned tenants could not be read; the last known ones hold');
      }
      count(current);
      changeTiers([...current.counts.keys()]);
    },
    rest: () => {
      previous = undefined;
    },
  };
}

export type LooksOptions = {
  readonly usage: TenantUsage;
  /** From the beginning of one look to that of the next; one that takes longer delays the next. */
  readonly everyMs: number;
  /** Of several processes one looks, or the sum over them would be a multiple. Asked every second. */
  readonly isMine: () => boolean;
  readonly log: Pick<Log, 'warn'>;
};

const ASK_EVERY_MS = 1_000;

/**
 * Looks at once and then again and again while it is this process' turn, whatever else the process does; never twice at a
 * time. A look that fails is logged, and the next one looks again.
 */
export function startLooks({ usage, everyMs, isMine, log }: LooksOptions): { close(): Promise<void> } {
  const stopped = new AbortController();
  const looking = (async () => {
    let dueAtMs = Number.NEGATIVE_INFINITY;
    while (!stopped.signal.aborted) {
      if (!isMine()) {
        usage.rest();
        dueAtMs = Number.NEGATIVE_INFINITY;
      } else if (performance.now() >= dueAtMs) {
        dueAtMs = performance.now() + everyMs;
        await usage.look().catch((error: unknown) => {
          log.warn({ error: String(error) }, 'usage per tenant could not be read');
        });
      }
      const waitMs = Math.min(everyMs, ASK_EVERY_MS);
      await delay(waitMs, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return {
    close: async () => {
      stopped.abort();
      await looking;
    },
  };
}
