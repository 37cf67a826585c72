import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createIngestBench, usageRecord, type IngestBench } from '../ingest/testing/bench.ts';
import { advanceClock, type BusinessClockTables } from '../platform/clock.ts';
import { createPostgres } from '../platform/postgres.ts';
import { runTrueup } from './testing/run-trueup.ts';

const NOON_MS = Date.UTC(2026, 9, 15, 12);

let bench: IngestBench;
let variables: Record<string, string>;

beforeAll(async () => {
  bench = await createIngestBench('status', 2);
  const clock = createPostgres<BusinessClockTables>(bench.databases.postgresUrl);
  await advanceClock(clock, NOON_MS);
  await clock.destroy();
  variables = {
    ...bench.databases.variables,
    TRUEUP_TOPIC: bench.topic,
  };
});
afterAll(async () => {
  await bench.stopSink();
  await bench.close();
});

const status = async (over: Record<string, string> = {}) =>
  runTrueup('status', { ...process.env, ...variables, ...over });

describe('trueup status', () => {
  test('says that nothing is in the way of an installation that works, and ends with 0', async () => {
    const { code, out } = await status();
    expect(out).toContain('2026-10-15T12:00Z  nothing blocks this month');
    expect(out).toContain('everything in Kafka is stored');
    expect(code).toBe(0);
  });

  test('says in words that records wait while no sink runs, and which runbook helps', async () => {
    await bench.send(Array.from({ length: 25 }, (_, n) => usageRecord(n, { atMs: NOON_MS })));
    const { code, out } = await status();
    expect(out).toMatch(/! 25 records wait in Kafka and none was stored in the last \d+ s/);
    expect(out).toContain('dashboards/runbooks/ConsumptionStopped.md');
    expect(code).toBe(1);
  });

  test('answers with the engine stopped: what that means, what to do, and unknown instead of numbers', async () => {
    const { code, out } = await status({ TRUEUP_CLICKHOUSE_URL: 'http://127.0.0.1:1' });
    expect(out).toMatch(/! ClickHouse does not answer: .*ECONNREFUSED/);
    expect(out).toContain('usage waits in Kafka and nothing is lost');
    expect(out).toContain('dashboards/runbooks/DependencyDown.md');
    expect(out).toMatch(/proof +unknown: /);
    expect(code).toBe(1);
  });
});
