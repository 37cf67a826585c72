// The metrics of one process, by the names of domain/contracts/metrics.ts and no others. Counting never throws and never
// waits; what was counted dies with the process, which is why no billing number is read from here.

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { METRICS, type MetricLabels, type MetricName, type MetricSpec } from '../domain/contracts/metrics.ts';

export type Metrics = {
  /** Counter: adds `by`. */
  count<Name extends MetricName>(name: Name, labels: MetricLabels<Name>, by?: number): void;
  /** Gauge: sets. Histogram: takes one observation. */
  record<Name extends MetricName>(name: Name, labels: MetricLabels<Name>, value: number): void;
  /** Takes a series out of the exposition; counted again, it starts at zero. */
  forget<Name extends MetricName>(name: Name, labels: MetricLabels<Name>): void;
  /** Text in Prometheus' exposition format. */
  render(): Promise<string>;
};

export function createMetrics(): Metrics {
  const registry = new Registry();
  const specs: [string, MetricSpec][] = Object.entries(METRICS);
  const series = new Map(specs.map(([name, spec]) => [name, createSeries(registry, name, spec)]));
  return {
    count: (name, labels, by = 1) => {
      const metric = series.get(name);
      if (metric instanceof Counter) metric.inc({ ...labels }, by);
    },
    record: (name, labels, value) => {
      const metric = series.get(name);
      if (metric instanceof Gauge) metric.set({ ...labels }, value);
      if (metric instanceof Histogram) metric.observe({ ...labels }, value);
    },
    forget: (name, labels) => series.get(name)?.remove({ ...labels }),
    render: async () => registry.metrics(),
  };
}

function createSeries(registry: Registry, name: string, spec: MetricSpec): Counter | Gauge | Histogram {
  const configuration = { name, help: spec.help, labelNames: [...spec.labels], registers: [registry] };
  if (spec.kind === 'counter') return new Counter(configuration);
  if (spec.kind === 'gauge') return new Gauge(configuration);
  return new Histogram({ ...configuration, buckets: [...(spec.buckets ?? [])] });
}
