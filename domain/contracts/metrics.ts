// Every metric of Trueup, named `trueup_<stage>_<noun>_<unit>`. Dashboards and alert rules name no other.
// Label values come from closed lists, from partition numbers, or from the tenant tiers (domain/tiers.ts).

export type MetricSpec = {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds; histograms only. */
  readonly buckets?: readonly number[];
};

const SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30] as const;

export const METRICS = {
  trueup_ingest_records_total: {
    kind: 'counter',
    help: 'Records of the log that were stored, by outcome (accepted, rejected); redelivered ones count again',
    labels: ['outcome'],
  },
  trueup_ingest_rejects_total: {
    kind: 'counter',
    help: 'Records that can not be counted, by reject reason',
    labels: ['reason'],
  },
  trueup_ingest_received_bytes: { kind: 'counter', help: 'Bytes of record values read from the log', labels: [] },
  trueup_ingest_blocks_total: {
    kind: 'counter',
    help: 'Blocks of the log, by outcome (stored, abandoned because the partition went to another sink)',
    labels: ['outcome'],
  },
  trueup_ingest_store_seconds: {
    kind: 'histogram',
    help: 'Time from taking a group of blocks to their being recorded',
    labels: [],
    buckets: SECONDS,
  },
  trueup_ingest_lag_records: {
    kind: 'gauge',
    help: 'Records behind the end of the log after the last stored block',
    labels: ['partition'],
  },
  trueup_ingest_waits_total: {
    kind: 'counter',
    help: 'Attempts that found a server unavailable, by server',
    labels: ['server'],
  },
  trueup_aggregate_events_total: {
    kind: 'counter',
    help: 'Events counted today in business time, of all tenants',
    labels: [],
  },
  trueup_aggregate_tenant_events_total: {
    kind: 'counter',
    help: 'The same by tenant: the largest by name, the rest as "other"',
    labels: ['tenant'],
  },
  trueup_ingest_manifests_total: {
    kind: 'counter',
    help: 'Manifests read, by outcome (stored, unreadable)',
    labels: ['outcome'],
  },
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof METRICS;
export type MetricLabels<Name extends MetricName> = Readonly<Record<(typeof METRICS)[Name]['labels'][number], string>>;
