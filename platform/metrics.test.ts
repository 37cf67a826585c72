import { describe, expect, test } from 'vitest';
import { METRICS, type MetricSpec } from '../domain/contracts/metrics.ts';
import { METRIC_STAGES, METRIC_UNITS } from '../domain/contracts/metrics/spec.ts';
import { createMetrics } from './metrics.ts';

const specs: [string, MetricSpec][] = Object.entries(METRICS);

describe('the registry', () => {
  test.each(specs)('%s is named trueup_<stage>_<noun>_<unit> and says what it is', (name, spec) => {
    expect(METRIC_STAGES).toContain(spec.stage);
    expect(METRIC_UNITS).toContain(spec.unit);
    expect(name).toMatch(/^trueup(_[a-z]+){3,}$/);
    expect(name.startsWith(`trueup_${spec.stage}_`)).toBe(true);
    expect(name.endsWith(`_${spec.unit}`)).toBe(true);
    expect(spec.help.length).toBeGreaterThan(10);
    expect(spec.kind === 'counter').toBe(spec.unit === 'total');
    expect(spec.kind === 'histogram').toBe(spec.buckets !== undefined);
  });

  test('closed lists of label values have no twins and no value named other than it is counted', () => {
    for (const [name, { labels }] of specs) {
      for (const values of Object.values(labels)) {
        if (!Array.isArray(values)) continue;
        expect(new Set(values).size, name).toBe(values.length);
      }
    }
  });
});

describe('one process', () => {
  test('what is counted is rendered, with its labels', async () => {
    const metrics = createMetrics();
    metrics.count('trueup_ingest_records_total', { outcome: 'accepted' }, 3);
    metrics.count('trueup_ingest_records_total', { outcome: 'accepted' });
    metrics.record('trueup_ingest_lag_records', { partition: '2' }, 7);
    metrics.record('trueup_ingest_store_seconds', {}, 0.2);
    const text = await metrics.render();
    expect(text).toContain('trueup_ingest_records_total{outcome="accepted"} 4');
    expect(text).toContain('trueup_ingest_lag_records{partition="2"} 7');
    expect(text).toContain('trueup_ingest_store_seconds_bucket{le="0.3"} 1');
  });

  test('two registries do not share their counts', async () => {
    createMetrics().count('trueup_ingest_manifests_total', { outcome: 'stored' });
    expect(await createMetrics().render()).not.toContain('outcome="stored"');
  });

  test('a gauge that nobody set has no value, and one that is forgotten has none again', async () => {
    const metrics = createMetrics();
    expect(await metrics.render()).not.toMatch(/^trueup_watch_pending_blocks /m);
    metrics.record('trueup_watch_pending_blocks', {}, 5);
    expect(await metrics.render()).toMatch(/^trueup_watch_pending_blocks 5$/m);
    metrics.forgetAll('trueup_watch_pending_blocks');
    expect(await metrics.render()).not.toMatch(/^trueup_watch_pending_blocks /m);
  });

  test('a label holds its closed list or the most its set may hold; the rest is one series called other', async () => {
    const metrics = createMetrics();
    for (let one = 0; one < 150; one += 1)
      metrics.count('trueup_http_source_limited_total', { source: `/cell-${one}` });
    const text = await metrics.render();
    expect(text.match(/^trueup_http_source_limited_total\{/gm)).toHaveLength(101);
    expect(text).toContain('trueup_http_source_limited_total{source="other"} 50');
    expect(text).toMatch(/^trueup_process_label_overflow_total 50$/m);
  });

  test('a forgotten value gives its place to another', async () => {
    const metrics = createMetrics();
    for (let one = 0; one < 100; one += 1)
      metrics.count('trueup_http_source_limited_total', { source: `/cell-${one}` });
    metrics.forget('trueup_http_source_limited_total', { source: '/cell-7' });
    metrics.count('trueup_http_source_limited_total', { source: '/cell-new' });
    expect(await metrics.render()).toContain('trueup_http_source_limited_total{source="/cell-new"} 1');
  });
});
