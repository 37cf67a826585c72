// The tables through which the rooms meet. Each is created by the schema file of the room that writes it.

export const CLICKHOUSE_TABLES = {
  /** The truth: one row per event identity after replacement; first copy wins. Writer: ingest. */
  usageEvents: 'usage_events_v1',
  usageRejected: 'usage_rejected_v1',
  usageDirty: 'usage_dirty_v1',
  usageManifests: 'usage_manifests_v1',
  /** Losing copies of identities that came with different content. Writer: aggregate. */
  usageConflicts: 'usage_conflicts_v1',
  usageMinute: 'usage_minute_v1',
  usageHour: 'usage_hour_v1',
  usageDay: 'usage_day_v1',
  /** Hour totals as of the barrier; written once at close. Writer: aggregate. */
  closedUsageHour: 'closed_usage_hour_v1',
} as const;

export const POSTGRES_TABLES = {
  businessClock: 'business_clock',
  accounts: 'accounts',
  accountPlans: 'account_plans',
  contractPrices: 'contract_prices',
  namespaces: 'namespaces',
  stripeIds: 'stripe_ids',
  ingestBlocks: 'ingest_blocks',
  periods: 'periods',
  periodTotals: 'period_totals',
  rollupRuns: 'rollup_runs',
} as const;
