import { expect, test } from 'vitest';
import { METRICS } from '../domain/contracts/metrics.ts';
import { createMetrics } from './metrics.ts';

test('every metric is named trueup_<stage>_<noun>_<unit>', () => {
  for (const name of Object.keys(METRICS))
    expect(name).toMatch(/^trueup_[a-z]+_[a-z_]+_(total|seconds|bytes|records)$/);
});

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

test('two registries of one process do not share their counts', async () => {
  createMetrics().count('trueup_ingest_manifests_total', { outcome: 'stored' });
  expect(await createMetrics().render()).not.toContain('outcome="stored"');
});
