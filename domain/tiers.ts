// Which tenants get a metric series of their own. Metrics of 100,000 tenants would drown their store, so the largest get
// a label and the rest share `other`. Metrics are never billed from; rollups hold every tenant.
// Promises: the increments over all series equal the increment of the total, whatever is promoted or demoted, because a
// tenant's label is decided before it is counted and history never moves; nothing flaps (hysteresis, minimum stay).
// When it dies: counters start at zero with the process, as Prometheus expects; the tiers are computed again.

/** `maximum` labels at most; a tenant enters at rank ≤ `enterAt`, leaves at rank > `leaveAt`, stays at least a while. */
export type TierPolicy = {
  readonly maximum: number;
  readonly enterAt: number;
  readonly leaveAt: number;
  readonly minimumStayMs: number;
  /** A demoted tenant's series stays visible for one staleness interval, so that no increment is lost between scrapes. */
  readonly stalenessMs: number;
};

export const TENANT_TIERS: TierPolicy = {
  maximum: 100,
  enterAt: 90,
  leaveAt: 120,
  minimumStayMs: 3_600_000,
  stalenessMs: 300_000,
};

export type TierState = {
  /** Tenants with a label, by the time they got it. */
  readonly labelled: ReadonlyMap<string, number>;
  /** Demoted tenants whose series still shows, by the time they were demoted. */
  readonly leaving: ReadonlyMap<string, number>;
};

export const NO_TIERS: TierState = { labelled: new Map(), leaving: new Map() };

export type TierInput = {
  /** Tenants by usage, largest first; ranks count from 1. */
  readonly ranking: readonly string[];
  /** Always labelled, whatever their usage. */
  readonly pinned: ReadonlySet<string>;
  readonly nowMs: number;
};

/** The next state. Pure: the same ranking at the same time gives the same tiers. */
export function computeTiers(state: TierState, { ranking, pinned, nowMs }: TierInput, policy: TierPolicy): TierState {
  const rank = new Map(ranking.map((tenant, index) => [tenant, index + 1]));
  const rankOf = (tenant: string) => rank.get(tenant) ?? Number.POSITIVE_INFINITY;
  const labelled = new Map<string, number>();
  for (const tenant of pinned) labelled.set(tenant, state.labelled.get(tenant) ?? nowMs);
  for (const [tenant, since] of state.labelled) {
    const mayLeave = nowMs - since >= policy.minimumStayMs;
    if (!mayLeave || rankOf(tenant) <= policy.leaveAt) labelled.set(tenant, since);
  }
  for (const tenant of ranking.slice(0, policy.enterAt)) {
    if (labelled.size >= policy.maximum) break;
    if (!labelled.has(tenant)) labelled.set(tenant, nowMs);
  }
  const leaving = new Map([...state.leaving].filter(([, since]) => nowMs - since < policy.stalenessMs));
  for (const tenant of state.labelled.keys()) if (!labelled.has(tenant)) leaving.set(tenant, nowMs);
  for (const tenant of labelled.keys()) leaving.delete(tenant);
  return { labelled, leaving };
}

export const OTHER = 'other';

/** The label under which a tenant's next increment is counted. */
export function labelOf(state: TierState, tenant: string): string {
  return state.labelled.has(tenant) ? tenant : OTHER;
}
