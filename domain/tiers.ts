// Which tenants get a metric series of their own. Metrics of 100,000 tenants would drown their store, so the largest get
// a label and the rest share `other`. Metrics are never billed from; rollups hold every tenant.
// Promises: the increments over all series equal the increment of the total, whatever is promoted or demoted, because a
// tenant's label is decided before it is counted and history never moves; nothing flaps (hysteresis, minimum stay); never
// more labels than the maximum, however many are pinned.
// When it dies: counters start at zero with the process, as Prometheus expects; the tiers are computed again.

/** `maximum` labels at most; a tenant enters at rank ≤ `enterAt`, leaves at rank > `leaveAt`, stays at least a while. */
export type TierPolicy = {
  readonly maximum: number;
  /** So many tenants may be pinned, so that most places always go by usage; at most `maximum`. */
  readonly pinnedMaximum: number;
  readonly enterAt: number;
  readonly leaveAt: number;
  readonly minimumStayMs: number;
  /** A demoted tenant's series stays visible for one staleness interval, so that no increment is lost between scrapes. */
  readonly stalenessMs: number;
};

export const TENANT_TIERS: TierPolicy = {
  maximum: 100,
  pinnedMaximum: 20,
  enterAt: 90,
  leaveAt: 120,
  minimumStayMs: 3_600_000,
  stalenessMs: 300_000,
};

/** The label of all who have none of their own. A tenant of this very name shares it. */
export const OTHER = 'other';

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
  /** Always labelled, whatever their usage: the first `pinnedMaximum` of them. */
  readonly pinned: ReadonlySet<string>;
  /** Of one clock that never goes back. */
  readonly nowMs: number;
};

/**
 * The next state. Pure: the same ranking at the same time gives the same tiers. Where places are short a pinned tenant comes
 * before one that may not leave yet, that before one that may stay, that before one that enters; among equals usage decides.
 */
export function computeTiers(state: TierState, { ranking, pinned, nowMs }: TierInput, policy: TierPolicy): TierState {
  const rank = new Map(ranking.map((tenant, index) => [tenant, index + 1]));
  const rankOf = (tenant: string) => rank.get(tenant) ?? Number.MAX_SAFE_INTEGER;
  const labelled = new Map<string, number>();
  const label = (tenant: string) => {
    if (tenant !== OTHER && labelled.size < policy.maximum) labelled.set(tenant, state.labelled.get(tenant) ?? nowMs);
  };
  for (const tenant of [...pinned].slice(0, policy.pinnedMaximum)) label(tenant);
  const byRank = [...state.labelled].sort(([one], [other]) => rankOf(one) - rankOf(other));
  const mustStay = (since: number) => nowMs - since < policy.minimumStayMs;
  for (const [tenant, since] of byRank) if (mustStay(since)) label(tenant);
  for (const [tenant] of byRank) if (rankOf(tenant) <= policy.leaveAt) label(tenant);
  for (const tenant of ranking.slice(0, policy.enterAt)) label(tenant);
  const leaving = new Map([...state.leaving].filter(([, since]) => nowMs - since < policy.stalenessMs));
  for (const tenant of state.labelled.keys()) if (!labelled.has(tenant)) leaving.set(tenant, nowMs);
  for (const tenant of labelled.keys()) leaving.delete(tenant);
  return { labelled, leaving };
}

/** What a rank means for a tenant's label: it gets one, keeps what it has, or loses it. */
export type TierByRank = 'enters' | 'keeps' | 'leaves';

/** `rank` counts from 1; a tenant without usage has none. */
export function tierOfRank(rank: number | undefined, { enterAt, leaveAt }: TierPolicy): TierByRank {
  if (rank === undefined || rank > leaveAt) return 'leaves';
  return rank <= enterAt ? 'enters' : 'keeps';
}

/** The label under which a tenant's next increment is counted. */
export function labelOf(state: TierState, tenant: string): string {
  return state.labelled.has(tenant) ? tenant : OTHER;
}
