// The metrics of one process, by the names of domain/contracts/metrics.ts and no others. Counting never throws and never
// waits; what was counted dies with the process, which is why no billing number is read from here.
// A label holds what the registry allows: anything else is counted as "other", so that no caller can flood the store.

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricLabels, type MetricName, type MetricSpec } from '../domain/contracts/metrics.ts';
import { OTHER } from '../domain/tiers.ts';

export type Metrics = {
  /** Counter: adds `by`. */
  count<Name extends MetricName>(name: Name, labels: MetricLabels<Name>, by?: number): void;
  /** Gauge: sets. Histogram: takes one observation. */
  record<Name extends MetricName>(name: Name, labels: MetricLabels<Name>, value: number): void;
  /** Takes a series out of the exposition; counted again, it starts at zero. */
  forget<Name extends MetricName>(name: Name, labels: MetricLabels<Name>): void;
  /** Takes all series of a metric out: what is not known has no value. */
  forgetAll(name: MetricName): void;
  /** Text in Prometheus' exposition format. */
  render(): Promise<string>;
};

type Series = {
  readonly metric: Counter | Gauge | Histogram;
  readonly spec: MetricSpec;
  /** Values seen under each open label. */
  readonly seen: Map<string, Set<string>>;
};

export type MetricsOptions = {
  /** Adds what Node says of itself (memory, event loop, garbage collection). */
  readonly runtime?: boolean;
};

/** Gauges that prom-client names like counters; each says by kind what the rest of its family says as a sum. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export function createMetrics({ runtime = false }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  if (runtime) {
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }
  const specs: [MetricName, MetricSpec][] = Object.entries(METRICS) as [MetricName, MetricSpec][];
  const series = new Map(specs.map(([name, spec]) => [name, createSeries(registry, name, spec)]));
  const find = (name: MetricName, labels: object) => {
    const found = series.get(name);
    if (found === undefined) return undefined;
    const { allowed, overflow } = bound(found, labels);
    if (overflow) (series.get('trueup_process_label_overflow_total')?.metric as Counter | undefined)?.inc();
    return { metric: found.metric, labels: allowed };
  };
  return {
    count: (name, labels, by = 1) => {
      const found = find(name, labels);
      if (found?.metric instanceof Counter) found.metric.inc(found.labels, by);
    },
    record: (name, labels, value) => {
      const found = find(name, labels);
      if (found?.metric instanceof Gauge) found.metric.set(found.labels, value);
      if (found?.metric instanceof Histogram) found.metric.observe(found.labels, value);
    },
    forget: (name, labels) => {
      const found = series.get(name);
      found?.metric.remove({ ...labels });
      for (const [label, value] of Object.entries(labels as Record<string, string>))
        found?.seen.get(label)?.delete(value);
    },
    forgetAll: (name) => {
      const metric = series.get(name)?.metric;
      metric?.reset();
      if (metric instanceof Gauge) metric.remove({});
    },
    render: async () => registry.metrics(),
  };
}

function createSeries(registry: Registry, name: string, spec: MetricSpec): Series {
  const configuration = { name, help: spec.help, labelNames: Object.keys(spec.labels), registers: [registry] };
  const metric =
    spec.kind === 'counter'
      ? new Counter(configuration)
      : spec.kind === 'gauge'
        ? new Gauge(configuration)
        : new Histogram({ ...configuration, buckets: [...(spec.buckets ?? [])] });
  // A gauge of no labels would begin as 0, which nobody has read.
  if (metric instanceof Gauge) metric.remove({});
  return { metric, spec, seen: new Map(Object.keys(spec.labels).map((label) => [label, new Set()])) };
}

function bound({ spec, seen }: Series, labels: object): { allowed: Record<string, string>; overflow: boolean } {
  let overflow = false;
  const allowed: Record<string, string> = {};
  for (const [label, value] of Object.entries(labels) as [string, string][]) {
    const rule = spec.labels[label];
    const known = seen.get(label);
    const fits =
      rule !== undefined && 'open' in rule
        ? known !== undefined && (known.has(value) || value === OTHER || known.size < rule.most)
        : rule?.includes(value) === true;
    if (fits && rule !== undefined && 'open' in rule) known?.add(value);
    allowed[label] = fits ? value : OTHER;
    overflow ||= !fits;
  }
  return { allowed, overflow };
}
