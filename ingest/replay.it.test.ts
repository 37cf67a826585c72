import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { parseCaseKeys } from './case.ts';
import { fetchReject, fetchRejects } from './rejects.ts';
import { replayReject, type ReplayDeps, type ReplayRequest } from './replay.ts';
import { createSink, type Sink } from './sink.ts';
import { createBlockStore } from './store.ts';
import type { IngestTables } from './tables.ts';
import { createIngestBench, usageRecord, type IngestBench } from './testing/bench.ts';

const NOW_MS = Date.UTC(2026, 10, 20);
const OLD_MS = Date.UTC(2026, 9, 1, 12, 30);
const CASES = parseCaseKeys('k1:0123456789abcdef');

let bench: IngestBench;
let db: Postgres<IngestTables>;
let sink: Sink;
let deps: ReplayDeps;
const stopping = new AbortController();

beforeEach(async () => {
  bench = await createIngestBench('replays', 3);
  db = createPostgres<IngestTables>(bench.databases.postgresUrl);
  const { kafka, topic, databases } = bench;
  const log = createLog('test', 'silent');
  const metrics = createMetrics();
  const store = createBlockStore(databases.clickhouse, db, { signal: stopping.signal, log, metrics });
  sink = createSink({ kafka, store, topic, log, metrics, cases: CASES });
  await sink.start();
  const isArchived = () => Promise.resolve(false);
  deps = { clickhouse: databases.clickhouse, db, kafka, topic, cases: CASES, isArchived };
});
afterEach(async () => {
  await sink.stop();
  await db.destroy();
  await bench.close();
});

async function sendOld(n: number, attributes: Record<string, unknown> = {}): Promise<void> {
  await bench.send([{ ...usageRecord(n, { atMs: OLD_MS, attributes }), timestampMs: NOW_MS }]);
  await bench.untilCaughtUp();
}

async function requestFor(overrides: Partial<ReplayRequest> = {}): Promise<ReplayRequest> {
  const [newest] = await fetchRejects(deps.clickhouse, { limit: 1 });
  if (newest === undefined) throw new Error('nothing was rejected');
  const reject = await fetchReject(deps.clickhouse, newest.partition, newest.offset);
  return { reject, caseId: 'late-1', operator: 'ops', why: 'the cell was cut off', nowMs: NOW_MS, ...overrides };
}

test('usage too old counts once under a case, however often it is replayed and read again', async () => {
  await sendOld(1, { quantity: '5' });
  const request = await requestFor();
  expect(request.reject).toMatchObject({ reason: 'TIME_TOO_OLD', subject: 'ns1.acme', source: '/cell/1' });
  const first = await replayReject(deps, request);
  expect(first).toMatchObject({ outcome: 'COUNTED', before: { events: 0n }, after: { events: 1n, quantity: '5' } });
  const again = await replayReject(deps, request);
  expect(again).toMatchObject({ outcome: 'COUNTED_BEFORE', before: first.after, after: first.after });
  expect(again).toMatchObject({ partition: first.partition, offset: first.offset });
  expect(await bench.fetchTotals()).toEqual({ events: '1', quantity: '5' });

  const rows = await db.selectFrom('reject_replays').selectAll().orderBy('id').execute();
  expect(rows.map(({ case_id: id, outcome, stored_offset: offset }) => [id, outcome, offset])).toEqual([
    ['late-1', 'COUNTED', first.offset],
    ['late-1', 'COUNTED_BEFORE', first.offset],
  ]);
  // The log alone decides: read from its start, it gives the same.
  await sink.stop();
  await bench.rewindGroup();
  const log = createLog('test', 'silent');
  const metrics = createMetrics();
  const store = createBlockStore(deps.clickhouse, db, { signal: stopping.signal, log, metrics });
  sink = createSink({ kafka: bench.kafka, store, topic: bench.topic, log, metrics, cases: CASES });
  await sink.start();
  await bench.untilCaughtUp();
  expect(await bench.fetchTotals()).toEqual({ events: '1', quantity: '5' });
});

test('a corrected record counts, one that would be rejected again is not sent', async () => {
  await sendOld(2, { quantity: '-4' });
  const request = await requestFor();
  const before = await bench.kafka.fetchEndOffsets(bench.topic);
  await expect(replayReject(deps, request)).rejects.toThrow('QUANTITY_INVALID');
  expect(await bench.kafka.fetchEndOffsets(bench.topic)).toEqual(before);
  const good = { ...(JSON.parse(request.reject.payload.toString()) as object), quantity: '4' };
  const replay = await replayReject(deps, { ...request, corrected: JSON.stringify(good) });
  expect(replay).toMatchObject({ outcome: 'COUNTED', after: { quantity: '4' } });
});

test('an identity that counted with other content is refused before anything is sent', async () => {
  await sendOld(3, { quantity: '1' });
  const request = await requestFor();
  await replayReject(deps, request);
  const other = { ...(JSON.parse(request.reject.payload.toString()) as object), quantity: '9' };
  const changed = replayReject(deps, { ...request, corrected: JSON.stringify(other) });
  await expect(changed).rejects.toThrow('first copy wins');
  expect(await bench.fetchTotals()).toEqual({ events: '1', quantity: '1' });
});

test('a key the sinks do not hold, and an archived month, waive nothing and say so', async () => {
  await sendOld(4);
  const request = await requestFor();
  const foreign = { ...deps, cases: parseCaseKeys('k1:another-secret-key') };
  await expect(replayReject(foreign, request)).rejects.toThrow('TRUEUP_CASE_KEYS');
  const archived = { ...deps, isArchived: (key: string) => Promise.resolve(key === '2026-10') };
  await expect(replayReject(archived, request)).rejects.toThrow('archived');
  expect(await bench.fetchTotals()).toMatchObject({ events: '0' });
});

test('rejects are found by account, source, reason and time', async () => {
  await sendOld(5);
  await sendOld(6, { quantity: 'many', source: '/cell/2' });
  const search = async (filter: object) => (await fetchRejects(deps.clickhouse, { limit: 10, ...filter })).length;
  expect(await search({})).toBe(2);
  expect(await search({ account: 'acme' })).toBe(2);
  expect(await search({ account: 'cme' })).toBe(0);
  expect(await search({ source: '/cell/2' })).toBe(1);
  expect(await search({ reason: 'TIME_TOO_OLD' })).toBe(1);
  expect(await search({ fromMs: NOW_MS, toMs: NOW_MS + 1 })).toBe(2);
  expect(await search({ fromMs: NOW_MS + 1 })).toBe(0);
});
