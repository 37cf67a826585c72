// What the registry says of a metric. A label's values are a closed list, or an open set with the most it may hold.

/** The process or job that exports it; the second word of the metric's name. */
export const METRIC_STAGES = ['process', 'http', 'ingest', 'aggregate', 'integrity', 'reconcile', 'watch'] as const;
export type MetricStage = (typeof METRIC_STAGES)[number];

/** Base units, as Prometheus wants them, or what is counted; `info` is a gauge of 1 that carries labels. Minor units are those of the currency label. */
export const METRIC_UNITS = [
  'total',
  'seconds',
  'timestamp_seconds',
  'bytes',
  'records',
  'blocks',
  'messages',
  'ratio',
  'tenants',
  'findings',
  'cases',
  'accounts',
  'holds',
  'workflows',
  'replicas',
  'minor_units',
  'up',
  'info',
] as const;
export type MetricUnit = (typeof METRIC_UNITS)[number];

/** Values that no list can name beforehand. Beyond `most` of them in a process, the rest is counted as "other". */
export type OpenLabel = { readonly open: string; readonly most: number };

export type LabelValues = readonly string[] | OpenLabel;

export type MetricSpec = {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly unit: MetricUnit;
  readonly stage: MetricStage;
  readonly labels: Readonly<Record<string, LabelValues>>;
  /** Upper bounds; histograms only. */
  readonly buckets?: readonly number[];
};

export type MetricTable = Readonly<Record<string, MetricSpec>>;

export const TENANT: OpenLabel = {
  open: 'the largest tenants by name, the rest as "other" (domain/tiers.ts)',
  most: 201,
};
export const PARTITION: OpenLabel = { open: 'partitions of the usage topic', most: 256 };
export const CURRENCY: OpenLabel = { open: 'ISO 4217 codes, lower case', most: 20 };

/** Work that takes milliseconds to half a minute. */
export const WORK_SECONDS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30] as const;
