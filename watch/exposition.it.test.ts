// What every process really serves, as Prometheus' own checker sees it, and how many series it can ever become.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTenantUsage } from '../aggregate/tenant-usage.ts';
import { METRICS, type MetricSpec } from '../domain/contracts/metrics.ts';
import { advanceClock, type BusinessClockTables } from '../platform/clock.ts';
import { createKafka } from '../platform/kafka.ts';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createPostgres } from '../platform/postgres.ts';
import { retryUnavailable } from '../platform/retry.ts';
import { createFreshDatabases, type FreshDatabases } from '../platform/testing/fresh-databases.ts';
import { runPromtool } from '../stack/promtool.ts';
import { stageFiles } from '../stack/stages.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { startProcessUnderTest, type ProcessUnderTest } from './testing/process.ts';

const SERIES_MAX = 20_000;
const TENANTS = 10_000;
const NOON_MS = Date.UTC(2026, 9, 15, 12);

let databases: FreshDatabases;
let variables: Record<string, string>;

beforeAll(async () => {
  databases = await createFreshDatabases('exposition');
  const clock = createPostgres<BusinessClockTables>(databases.postgresUrl);
  await advanceClock(clock, NOON_MS);
  await clock.destroy();
  const [topic, manifests] = [`usage.${databases.name}`, `manifests.${databases.name}`];
  const brokers = process.env['TRUEUP_KAFKA_BROKERS'] ?? '';
  const kafka = createKafka({ brokers, clientId: 'test-exposition', log: createLog('test', 'silent') });
  for (const name of [topic, manifests]) await retryUnavailable(async () => kafka.createTopic(name, { partitions: 1 }));
  await kafka.close();
  variables = {
    TRUEUP_POSTGRES_URL: databases.postgresUrl,
    TRUEUP_CLICKHOUSE_DATABASE: databases.name,
    TRUEUP_TOPIC: topic,
    TRUEUP_MANIFEST_TOPIC: manifests,
    TRUEUP_WATCH_SECONDS: '1',
    TRUEUP_HTTP_PORT: '0',
  };
});
afterAll(async () => databases.close());

function countSeries(text: string): number {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
}

describe('what a process serves', () => {
  test.each(Object.entries(stageFiles))('%s: passes promtool, says who it is and becomes ready', async (name, file) => {
    let started: ProcessUnderTest | undefined;
    try {
      started = await startProcessUnderTest(file, variables);
      const it = started;
      await eventually(30_000, async () => {
        const { status, checks } = await it.readyz();
        if (status !== 200) throw new Error(JSON.stringify(checks));
        return true;
      });
      const text = await started.metrics();
      expect(await runPromtool(['check', 'metrics'], { input: text })).toMatchObject({ code: 0, stderr: '' });
      expect(text).toMatch(new RegExp(`^trueup_process_build_info\\{name="${name}",version="[\\d.]+"\\} 1$`, 'm'));
      expect(countSeries(text)).toBeLessThan(SERIES_MAX);
    } finally {
      await started?.stop();
    }
  });
});

describe('how many series there can be', () => {
  test('every label at its most stays within the budget of one process', () => {
    const most = (Object.values(METRICS) as MetricSpec[]).reduce((sum, { labels, buckets }) => {
      const values = Object.values(labels).map((rule) => ('open' in rule ? rule.most : rule.length) + 1);
      const each = buckets === undefined ? 1 : buckets.length + 3;
      return sum + values.reduce((product, count) => product * count, each);
    }, 0);
    expect(most).toBeLessThan(SERIES_MAX);
  });

  test(`${TENANTS} tenants with usage become a hundred series and one`, async () => {
    const { clickhouse } = databases;
    const metrics = createMetrics({ runtime: true });
    const tenantUsage = createTenantUsage({
      clickhouse,
      metrics,
      log: createLog('test', 'silent'),
      now: async () => Promise.resolve(NOON_MS),
      machineNowMs: () => 0,
      fetchPinned: async () => Promise.resolve([]),
    });
    await tenantUsage.look();
    await clickhouse.command(
      `INSERT INTO usage_day_v1 (namespace, meter, day, quantity, events, run)
       SELECT concat('ns.acct-', toString(number)), 'actions', toDate('2026-10-15'), number + 1, number + 1, 1
       FROM numbers(${TENANTS})`,
    );
    await tenantUsage.look();
    const text = await metrics.render();
    const tenants = text.match(/^trueup_aggregate_tenant_events_total\{/gm) ?? [];
    expect(tenants.length).toBeGreaterThan(80);
    expect(tenants.length).toBeLessThanOrEqual(101);
    expect(text).toContain(`trueup_aggregate_active_tenants ${TENANTS}`);
    expect(text).toContain(`trueup_aggregate_events_total ${(TENANTS * (TENANTS + 1)) / 2}`);
    expect(countSeries(text)).toBeLessThan(SERIES_MAX);
  });
});
