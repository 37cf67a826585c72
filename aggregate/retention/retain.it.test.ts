import { mkdtemp, readdir, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WAITS } from '../../domain/contracts/waits.ts';
import { parsePeriod } from '../../domain/period.ts';
import { explainPeriod } from '../explain/explain.ts';
import { createUsageBench, type UsageBench } from '../testing/usage-bench.ts';
import { planRetention, retainPeriod } from './retain.ts';

const OCTOBER = parsePeriod('2026-10');
const CLOSED_MS = Date.UTC(2026, 10, 3);
const DUE_MS = CLOSED_MS + WAITS.disputeWindowMs;

let bench: UsageBench;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trueup-archive-'));
  bench = await createUsageBench('retain', 2);
  await bench.store([
    { id: 'a', at: '2026-10-03T10:00:00Z', offset: 0, quantity: '5' },
    { id: 'a', at: '2026-10-03T10:00:00Z', offset: 1, quantity: '5' },
    { id: 'a', at: '2026-10-03T11:00:00Z', offset: 2, quantity: '5' },
    // First in September, so that October's copy loses although September is not in October's archive.
    { id: 's', at: '2026-09-30T23:00:00Z', offset: 3, quantity: '8' },
    { id: 's', at: '2026-10-01T00:00:00Z', offset: 4, quantity: '8' },
    { id: 'b', at: '2026-10-31T23:59:59.999Z', offset: 5, type: 'child_workflow', namespace: 'shop.acme' },
    { id: 'c', at: '2026-10-20T00:00:00Z', offset: 0, partition: 1 },
    { id: 'vc', at: '2026-10-20T00:00:00Z', offset: 6, type: 'void', voids: 'c' },
    { id: 'n', at: '2026-11-01T00:00:00Z', offset: 7 },
    {
      id: 'plan',
      at: '2026-10-21T00:00:00Z',
      offset: 8,
      source: "/a'b?c=\u00fc",
      type: 'active_storage',
      quantity: '12345678901234567890',
    },
  ]);
  await bench.rollUp();
  await bench.usage.takeBarrier(OCTOBER, CLOSED_MS);
  await bench.usage.closePeriod(OCTOBER, CLOSED_MS);
  await bench.store([{ id: 'late', at: '2026-10-07T00:00:00Z', offset: 9, quantity: '2' }]);
  await bench.rollUp();
});
afterEach(async () => bench.close());

async function rowsOfOctober(): Promise<Record<string, string>> {
  const [row] = await bench.databases.clickhouse.query<Record<string, string>>(
    `SELECT (SELECT count() FROM usage_events_v1 WHERE toYYYYMM(time) = 202610) AS truth,
      (SELECT count() FROM usage_minute_v1 WHERE toYYYYMM(minute) = 202610) AS minutes,
      (SELECT count() FROM usage_events_v1 WHERE toYYYYMM(time) != 202610) AS others,
      (SELECT toString(sum(quantity)) FROM usage_hour_v1 FINAL WHERE toYYYYMM(hour) = 202610) AS hours`,
  );
  return row ?? {};
}

test('the dry run says what would go and touches nothing', async () => {
  const before = await rowsOfOctober();
  const plan = await planRetention(bench.deps, OCTOBER, CLOSED_MS);
  expect(plan).toMatchObject({ due: false, dueAtMs: DUE_MS, state: 'NONE', events: 8n, conflicts: 2n });
  expect(plan.partitions.map(({ table }) => table)).toEqual(['usage_events_v1', 'usage_minute_v1']);
  expect(await rowsOfOctober()).toEqual(before);
  expect(await readdir(folder)).toEqual([]);
  const early = retainPeriod(bench.deps, OCTOBER, { folder, nowMs: DUE_MS - 1 });
  await expect(early).rejects.toMatchObject({ code: 'PERIOD_STATE' });
});

test('an archived month is gone from the truth and stays explainable, its late usage posted before', async () => {
  const before = await rowsOfOctober();
  const archive = await retainPeriod(bench.deps, OCTOBER, { folder, nowMs: DUE_MS });
  expect(archive).toMatchObject({ state: 'DROPPED' });
  for (const file of archive.files) expect(file.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(await rowsOfOctober()).toEqual({ ...before, truth: '0', minutes: '0' });
  expect(await bench.usage.fetchAdjustments(OCTOBER)).toMatchObject([{ k: 1, quantity: 20n }]);
  const explanation = await explainPeriod(bench.deps, OCTOBER, {});
  expect(explanation).toMatchObject({ from: 'archive', agrees: true, differences: [], read: 8n });
  // What recomputes from the truth refuses instead of answering too little.
  await expect(bench.usage.closePeriod(OCTOBER, DUE_MS)).rejects.toMatchObject({ code: 'PERIOD_STATE' });
  await expect(bench.usage.recordAdjustments(OCTOBER, [...bench.ends])).rejects.toMatchObject({ code: 'PERIOD_STATE' });
  expect(await retainPeriod(bench.deps, OCTOBER, { folder, nowMs: DUE_MS })).toEqual(archive);
});

test('counts of the whole log go on including an archived month; what only its rows could tell is refused', async () => {
  const closed = await bench.usage.takeBarrier(OCTOBER, CLOSED_MS);
  const before = await bench.usage.fetchIngestCounts(bench.ends);
  expect(before).toMatchObject({ unique: 8n, conflicts: 2n });
  await retainPeriod(bench.deps, OCTOBER, { folder, nowMs: DUE_MS });
  expect(await bench.usage.fetchIngestCounts(bench.ends)).toEqual(before);
  await bench.store([{ id: 'n2', at: '2026-11-02T00:00:00Z', offset: 10 }]);
  expect(await bench.usage.fetchIngestCounts(bench.ends)).toMatchObject({ unique: 9n, conflicts: 2n });

  const refused = { kind: 'rejected', code: 'PERIOD_STATE' };
  await expect(bench.usage.fetchIngestCounts(closed)).rejects.toMatchObject(refused);
  await expect(bench.usage.fetchLateTotals(OCTOBER, bench.ends)).rejects.toMatchObject(refused);
  await expect(bench.usage.fetchRollupMismatches(OCTOBER)).rejects.toMatchObject(refused);
});

test('killed after any step and run again, nothing is lost', async () => {
  const closed = await bench.usage.fetchClosedTotals(OCTOBER);
  const seen: string[] = [];
  for (let kills = 0; kills < 40; kills += 1) {
    let killed = false;
    const onStep = (step: string) => {
      if (seen.includes(step)) return;
      seen.push(step);
      killed = true;
      throw new Error(`killed after ${step}`);
    };
    await retainPeriod(bench.deps, OCTOBER, { folder, nowMs: DUE_MS, onStep }).catch(() => undefined);
    if (!killed) break;
  }
  expect(seen).toEqual(expect.arrayContaining(['files', 'verified', 'dropping', 'dropped usage_events_v1', 'dropped']));
  expect(await explainPeriod(bench.deps, OCTOBER, {})).toMatchObject({ from: 'archive', agrees: true });
  expect(await bench.usage.fetchClosedTotals(OCTOBER)).toEqual(closed);
});

test('a file damaged before the drop stops it', async () => {
  const stopAfter = (name: string) => (step: string) => {
    if (step === name) throw new Error(`killed after ${step}`);
  };
  await retainPeriod(bench.deps, OCTOBER, { folder, nowMs: DUE_MS, onStep: stopAfter('verified') }).catch(
    () => undefined,
  );
  await truncate(join(folder, '2026-10/events-2026-10-03.parquet'), 100);
  const damaged = retainPeriod(bench.deps, OCTOBER, { folder, nowMs: DUE_MS });
  await expect(damaged).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
  expect((await rowsOfOctober())['truth']).not.toBe('0');
});

test('usage that came between verification and drop is archived before anything goes', async () => {
  const stop = (step: string) => {
    if (step === 'verified') throw new Error('killed');
  };
  await retainPeriod(bench.deps, OCTOBER, { folder, nowMs: DUE_MS, onStep: stop }).catch(() => undefined);
  await bench.store([{ id: 'case', at: '2026-10-08T00:00:00Z', offset: 10 }]);
  await bench.rollUp();
  const first = retainPeriod(bench.deps, OCTOBER, { folder, nowMs: DUE_MS });
  await expect(first).rejects.toMatchObject({ retryable: true });
  const archive = await retainPeriod(bench.deps, OCTOBER, { folder, nowMs: DUE_MS });
  expect(archive.files.map(({ name }) => name)).toContain('2026-10/events-2026-10-08.parquet');
  expect((await bench.usage.fetchAdjustments(OCTOBER)).map(({ quantity }) => quantity)).toEqual([20n, 10n]);
});
