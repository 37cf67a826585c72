// The ClickHouse tables through which the rooms meet. Each is created by the schema file of the room that writes it.
// Postgres tables are named where Kysely knows them, in each room's tables.ts.

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
  /** What Postgres says of closes, once more. Writer: aggregate. */
  periodRecords: 'period_records_v1',
} as const;

/** What a row of the truth is written with, by the sink and by whoever reads an archive back; the rest is computed. */
export const EVENT_COLUMNS = [
  'namespace',
  'type',
  'time',
  'source',
  'id',
  'quantity',
  'voids',
  'generation',
  'kafka_partition',
  'kafka_offset',
  'arrived_at',
] as const;
