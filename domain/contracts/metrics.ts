// The registry: every metric of Trueup, named `trueup_<stage>_<noun>_<unit>`. Exporters, alert rules and boards name no
// other, and one that nobody exports or nobody looks at fails the build. No label holds an id, an address or an error's text.

import { HTTP_METRICS, INGEST_METRICS } from './metrics/ingest.ts';
import { WATCH_METRICS } from './metrics/watch.ts';
import { AGGREGATE_METRICS, INTEGRITY_METRICS, PROCESS_METRICS, RECONCILE_METRICS } from './metrics/work.ts';
import type { LabelValues, MetricTable } from './metrics/spec.ts';

export type { MetricSpec } from './metrics/spec.ts';

export const METRICS = {
  ...PROCESS_METRICS,
  ...HTTP_METRICS,
  ...INGEST_METRICS,
  ...AGGREGATE_METRICS,
  ...INTEGRITY_METRICS,
  ...RECONCILE_METRICS,
  ...WATCH_METRICS,
} as const satisfies MetricTable;

export type MetricName = keyof typeof METRICS;

type Value<Values extends LabelValues> = Values extends readonly (infer One)[] ? One : string;
type Labels = { readonly [Name in MetricName]: (typeof METRICS)[Name]['labels'] };

export type MetricLabels<Name extends MetricName> = {
  readonly [Label in keyof Labels[Name]]: Labels[Name][Label] extends LabelValues ? Value<Labels[Name][Label]> : never;
};
