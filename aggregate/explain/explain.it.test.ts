// A small simulated month with every trouble of the data plane, through the real log and sink: its closed total must be
// found again by reading the log from its start, and its sources' manifests must agree with what arrived.

import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsePeriod } from '../../domain/period.ts';
import { writePlan } from '../../fixtures/dataplane/plan.ts';
import { messageBlocks } from '../../fixtures/dataplane/sequence.ts';
import { planWorld } from '../../fixtures/dataplane/world.ts';
import { rereadLog } from '../../ingest/reread.ts';
import { createIngestBench, type IngestBench } from '../../ingest/testing/bench.ts';
import { createPostgres, type Postgres } from '../../platform/postgres.ts';
import { closePeriod, takeBarrier, type CloseDeps } from '../close.ts';
import { fetchFindings } from '../integrity/findings.ts';
import { runIntegrity } from '../integrity/run.ts';
import { rollUpAll } from '../testing/roll-up.ts';
import type { AggregateTables } from '../tables.ts';
import { explainPeriod, type ReadLog } from './explain.ts';

const OCTOBER = parsePeriod('2026-10');
const BARRIER_MS = Date.UTC(2026, 10, 3);
const OPTIONS = { seed: 7, month: '2026-10', events: 10_000, accounts: 5, namespaces: 12, faults: true };

let bench: IngestBench;
let db: Postgres<AggregateTables>;
let deps: CloseDeps;
let readLog: ReadLog;

beforeAll(async () => {
  bench = await createIngestBench('explain', 4);
  db = createPostgres<AggregateTables>(bench.databases.postgresUrl);
  const { kafka, topic } = bench;
  deps = {
    clickhouse: bench.databases.clickhouse,
    db,
    topic,
    fetchEndOffsets: async () => kafka.fetchEndOffsets(topic),
  };
  readLog = async (upTo, window, insert) => rereadLog({ kafka, topic, upTo, window, insert });
  await bench.startSink();
  const world = planWorld(OPTIONS);
  for (const block of messageBlocks(world, 'month')) {
    if (block.length > 0) await bench.send(block);
  }
  await bench.untilCaughtUp();
  await insertManifests();
  await rollUpAll(deps);
  await takeBarrier(deps, OCTOBER, BARRIER_MS);
  await closePeriod(deps, OCTOBER, BARRIER_MS);
  // Late usage follows; it must not show in what was closed.
  await bench.send([...messageBlocks(world, 'late')].flat());
  await bench.untilCaughtUp();
  await rollUpAll(deps);
});

afterAll(async () => {
  await db.destroy();
  await bench.close();
});

async function insertManifests(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'trueup-plan-'));
  writePlan(folder, OPTIONS);
  const lines = readFileSync(join(folder, 'manifests.jsonl'), 'utf8').trimEnd().split('\n');
  const rows = lines.map((line) => {
    const { source, hour, revision, events, quantity } = JSON.parse(line) as Record<string, string>;
    return `${source}\t${Date.parse(hour ?? '') / 1000}\t${revision}\t${events}\t${quantity}\n`;
  });
  const columns = ['source', 'hour', 'revision', 'events', 'quantity'];
  await bench.databases.clickhouse.insertTsv('usage_manifests_v1', columns, rows.join(''));
}

test('the closed total is found again from the log alone, by another way of counting', async () => {
  const found = await explainPeriod(deps, OCTOBER, { readLog });
  expect(found).toMatchObject({ from: 'log', agrees: true, differences: [] });
  expect(found.read).toBe(found.barrier.reduce((sum, end) => sum + end, 0n));
  expect(found.events).toBeGreaterThan(5_000n);
  expect(await explainPeriod(deps, OCTOBER, {})).toMatchObject({ from: 'truth', agrees: true });
});

test("every source's manifests agree with what arrived, rejects and late usage included", async () => {
  const { failed } = await runIntegrity(deps, { nowMs: Date.UTC(2026, 10, 10), full: OCTOBER, secondLookMs: 0 });
  expect(failed).toEqual([]);
  const findings = await fetchFindings(db);
  expect(findings.filter(({ kind }) => kind !== 'CONFLICTING_COPIES' && kind !== 'SOURCE_SILENT')).toEqual([]);
});

test('an altered closed hour, and a row deleted from the truth, are told apart', async () => {
  const { clickhouse } = deps;
  const [row] = await clickhouse.query<{ namespace: string; meter: string }>(
    `SELECT namespace, meter FROM closed_usage_hour_v1 FINAL WHERE meter = 'actions' ORDER BY quantity DESC LIMIT 1`,
  );
  const { namespace = '', meter = '' } = row ?? {};
  await clickhouse.command(
    `ALTER TABLE usage_events_v1 DELETE WHERE namespace = '${namespace}' AND type = 'query' SETTINGS mutations_sync = 2`,
  );
  expect(await explainPeriod(deps, OCTOBER, { readLog })).toMatchObject({ agrees: true });
  expect(await explainPeriod(deps, OCTOBER, {})).toMatchObject({ agrees: false, differences: [{ namespace, meter }] });
  await clickhouse.command(
    `ALTER TABLE closed_usage_hour_v1 UPDATE quantity = quantity + 1 WHERE namespace = '${namespace}' AND meter = '${meter}'
     SETTINGS mutations_sync = 2`,
  );
  const altered = await explainPeriod(deps, OCTOBER, { readLog });
  expect(altered).toMatchObject({ agrees: false, differences: [{ namespace, meter }] });
  expect(altered.recomputedDigest).toBe(altered.recordedDigest);
  expect(altered.storedDigest).not.toBe(altered.recordedDigest);
});

test('nothing is left behind', async () => {
  const left = await deps.clickhouse.query(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND startsWith(name, 'scratch_')`,
  );
  expect(left).toEqual([]);
});
