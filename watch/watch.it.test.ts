import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rollUpAll } from '../aggregate/testing/roll-up.ts';
import type { AggregateTables } from '../aggregate/tables.ts';
import { createIngestBench, usageRecord, type IngestBench } from '../ingest/testing/bench.ts';
import { advanceClock, type BusinessClockTables } from '../platform/clock.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { startProcessUnderTest, type ProcessUnderTest } from './testing/process.ts';

const NOON_MS = Date.UTC(2026, 9, 15, 12);
const PROMPT_MS = 30_000;

let bench: IngestBench;
let db: Postgres<AggregateTables & BusinessClockTables>;
let variables: Record<string, string>;
const running: ProcessUnderTest[] = [];

async function startWatch(over: Record<string, string> = {}): Promise<ProcessUnderTest> {
  const started = await startProcessUnderTest('watch/main.ts', { ...variables, ...over });
  running.push(started);
  return started;
}

beforeAll(async () => {
  bench = await createIngestBench('watch', 2);
  db = createPostgres(bench.databases.postgresUrl);
  await advanceClock(db, NOON_MS);
  variables = {
    ...bench.databases.variables,
    TRUEUP_TOPIC: bench.topic,
    TRUEUP_WATCH_SECONDS: '1',
  };
});
afterAll(async () => {
  await Promise.all(running.map(async (one) => one.stop()));
  await bench.stopSink();
  await db.destroy();
  await bench.close();
});

describe('the watcher', () => {
  test('sees every server answer, and has read every part', async () => {
    const watch = await startWatch();
    for (const server of ['kafka', 'clickhouse', 'postgres', 'redis', 'temporal', 'stripe']) {
      await eventually(PROMPT_MS, async () =>
        (await watch.value(`trueup_watch_server_up{server="${server}"}`)) === 1 ? true : undefined,
      );
    }
    for (const part of [
      'log',
      'rollup',
      'findings',
      'period',
      'books',
      'holds',
      'outbox',
      'workflows',
      'storage',
      'clock',
    ]) {
      expect(await watch.value(`trueup_watch_reads_total{part="${part}",outcome="read"}`)).toBeGreaterThan(0);
    }
    expect(await watch.value('trueup_watch_disk_free_ratio')).toBeGreaterThan(0);
    await eventually(PROMPT_MS, async () => ((await watch.readyz()).status === 200 ? true : undefined));
  });

  test('what waits in the log is lag that grows older, until it is stored and rolled up', async () => {
    const watch = await startWatch();
    await bench.send(Array.from({ length: 40 }, (_, n) => usageRecord(n, { atMs: NOON_MS })));
    await eventually(PROMPT_MS, async () => {
      const lag = (await watch.value('trueup_watch_log_end_records')) ?? 0;
      const age = (await watch.value('trueup_watch_freshness_seconds')) ?? 0;
      return lag === 40 && age > 1 ? true : undefined;
    });
    await bench.startSink();
    await eventually(PROMPT_MS, async () =>
      (await watch.value('trueup_watch_stored_records')) === 40 ? true : undefined,
    );
    expect(await watch.value('trueup_watch_freshness_seconds')).toBeGreaterThan(0);
    expect(await watch.value('trueup_watch_pending_blocks')).toBeGreaterThan(0);
    await rollUpAll({ clickhouse: bench.databases.clickhouse, db });
    await eventually(PROMPT_MS, async () =>
      (await watch.value('trueup_watch_freshness_seconds')) === 0 &&
      (await watch.value('trueup_watch_pending_blocks')) === 0
        ? true
        : undefined,
    );
  });

  test('an engine that is away takes only what it knows out of the answer, and counts against freshness as unknown', async () => {
    const watch = await startWatch({ TRUEUP_CLICKHOUSE_URL: 'http://127.0.0.1:1' });
    await eventually(PROMPT_MS, async () =>
      (await watch.value('trueup_watch_server_up{server="clickhouse"}')) === 0 ? true : undefined,
    );
    const text = await watch.metrics();
    expect(text).toContain('trueup_watch_server_up{server="postgres"} 1');
    expect(text).toMatch(/^trueup_watch_log_end_records \d+$/m);
    expect(text).not.toMatch(/^trueup_watch_open_findings\{/m);
    expect(text).not.toMatch(/^trueup_watch_disk_free_ratio /m);
    expect(text).toContain('trueup_watch_slo_looks_total{slo="usage-completeness",outcome="unknown"}');
    const { status, checks } = await eventually(PROMPT_MS, async () => {
      const answer = await watch.readyz();
      return answer.checks['reads']?.includes('findings') === true ? answer : undefined;
    });
    expect(status).toBe(503);
    expect(checks['reads']).toContain('storage');
  });

  test('nothing readable is no zero: with Postgres away no gauge of it stands, and the process lives', async () => {
    const watch = await startWatch({ TRUEUP_POSTGRES_URL: 'postgres://app@127.0.0.1:1/none' });
    await eventually(PROMPT_MS, async () =>
      (await watch.value('trueup_watch_server_up{server="postgres"}')) === 0 ? true : undefined,
    );
    const text = await watch.metrics();
    expect(text).not.toMatch(/^trueup_watch_(breaks|holds|pending|outbox|lag|period)_[a-z_]+(\{.*\})? /m);
    expect((await fetch(`${watch.url}/livez`)).status).toBe(200);
  });
});
