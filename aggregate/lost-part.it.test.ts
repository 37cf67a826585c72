// A part of the truth that the engine set aside by itself: what remains is counted without a word, and usage that came later
// makes block log and rollups agree with it. The month must not be closed like that.

import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WAITS } from '../domain/contracts/waits.ts';
import { parsePeriod } from '../domain/period.ts';
import { sinkGroupOf } from '../ingest/sink.ts';
import { createIngestBench, usageRecord, type IngestBench } from '../ingest/testing/bench.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { startStack, type Stack } from '../stack/stack.ts';
import { processLives } from '../stack/testing/eventually.ts';
import type { CloseDeps } from './close.ts';
import { restoreLostParts } from './integrity/restore.ts';
import { runIntegrity } from './integrity/run.ts';
import type { AggregateTables } from './tables.ts';
import { rollUpPending } from './testing/roll-up.ts';
import { createUsage } from './usage.ts';

const OCTOBER = parsePeriod('2026-10');
const DUE_MS = OCTOBER.endAtMs + WAITS.graceMs;
const BASE_MS = Date.UTC(2026, 9, 3, 12);
const EVENTS = 100;
const shared = process.env['TRUEUP_CLICKHOUSE_URL'];

let stack: Stack;
let bench: IngestBench;
let db: Postgres<AggregateTables>;
let deps: CloseDeps;

beforeEach(async () => {
  // A server of its own, whose files can be broken.
  const name = `set-aside-${process.pid}`;
  stack = await startStack({ name, servers: ['clickhouse'], ignoreGiven: true, log: () => undefined });
  process.env['TRUEUP_CLICKHOUSE_URL'] = stack.env['TRUEUP_CLICKHOUSE_URL'];
  bench = await createIngestBench('set_aside', 2);
  db = createPostgres<AggregateTables>(bench.databases.postgresUrl);
  const { kafka, topic, databases } = bench;
  deps = { clickhouse: databases.clickhouse, db, topic, fetchEndOffsets: async () => kafka.fetchEndOffsets(topic) };
});
afterEach(async () => {
  await db.destroy();
  await bench.close();
  if (shared !== undefined) process.env['TRUEUP_CLICKHOUSE_URL'] = shared;
  await stack.stop();
});

async function rollUp(): Promise<void> {
  while ((await rollUpPending(deps)).blocks > 0);
}

/** In the same minutes of the same namespaces whatever `from` is; stored and rolled up. */
async function use(from: number): Promise<void> {
  const numbers = Array.from({ length: EVENTS }, (_, n) => n);
  await bench.send(numbers.map((n) => usageRecord(n, { id: `e-${from + n}`, atMs: BASE_MS + n * 1_000 })));
  await bench.untilCaughtUp();
  await rollUp();
}

/** Empties the files of the truth as it stands and restarts the engine, which sets its parts aside. Returns their number. */
async function loseTruth(): Promise<number> {
  const parts = await deps.clickhouse.query<{ path: string }>(
    `SELECT path FROM system.parts WHERE database = currentDatabase() AND table = 'usage_events_v1'`,
  );
  for (const { path } of parts) for (const file of readdirSync(path)) truncateSync(join(path, file), 0);
  const pid = stack.pid('clickhouse');
  if (pid === undefined) throw new Error('the engine does not run');
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => processLives(pid), { timeout: 30_000 }).toBe(false);
  await stack.untilReady('clickhouse');
  return parts.length;
}

test('a month that lost a part is not closed before the part is restored, whether or not anybody noticed', async () => {
  await bench.startSink();
  await use(0);
  expect(await loseTruth()).toBeGreaterThan(0);
  await use(EVENTS);
  const usage = createUsage(deps);
  // Nothing else shows that half of the usage is gone.
  expect(await bench.fetchTotals()).toMatchObject({ events: String(EVENTS) });
  await usage.checkRolledUp(await usage.fetchEndOffsets());
  expect(await usage.fetchRollupMismatches(OCTOBER)).toEqual([]);
  const barrier = await usage.takeBarrier(OCTOBER, DUE_MS);
  const close = async () => usage.closePeriod(OCTOBER, DUE_MS);
  const damaged = { code: 'USAGE_DAMAGED', retryable: true };
  await expect(close()).rejects.toMatchObject(damaged);
  await expect(close()).rejects.toThrow('PART_LOST usage_events_v1');
  const look = async () => (await runIntegrity(deps, { nowMs: BASE_MS })).findings.map(({ kind }) => kind);
  expect(await look()).toContain('PART_LOST');
  await expect(close()).rejects.toMatchObject(damaged);

  await bench.stopSink();
  const usageSince = async (sinceMs: number) =>
    bench.kafka.rewindGroupSince(sinkGroupOf(bench.topic), bench.topic, sinceMs);
  await restoreLostParts(deps, { usage: usageSince, manifests: async () => Promise.resolve() });
  await expect(close()).rejects.toMatchObject({ code: 'ROLLUP_BEHIND' });
  await bench.startSink();
  const complete = async () => {
    await rollUp();
    await usage.checkRolledUp(barrier);
    return true;
  };
  await expect.poll(complete, { timeout: 30_000 }).toBe(true);
  expect(await look()).not.toContain('PART_LOST');
  expect(await close()).toMatchObject({ barrier, events: BigInt(2 * EVENTS) });
  expect(await usage.recordAdjustments(OCTOBER, await usage.fetchEndOffsets())).toMatchObject({ k: null });
}, 120_000);
