import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY_MS, parsePeriod } from '../domain/period.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';

const OCTOBER = parsePeriod('2026-10');
let bench: UsageBench;
beforeEach(async () => {
  bench = await createUsageBench('miscounts', 2);
});
afterEach(async () => bench.close());

const at = '2026-10-03T10:00:05Z';
const counts = async () => bench.usage.fetchIngestCounts(bench.ends);

test('every message has one fate, however often its block was read, and what has none is missing', async () => {
  await bench.store([0, 1, 2].map((offset) => ({ id: `a${offset}`, at, offset })));
  await bench.store([1, 2, 3, 4].map((offset) => ({ id: `a${offset}`, at, offset })));
  await bench.store([{ id: 'b', at, offset: 0, partition: 1 }]);
  expect(await counts()).toMatchObject({ messages: 6n, accepted: 6n, rejected: 0n });

  // The second reading of the block said what became of it: one of its own messages was rejected.
  const columns = ['generation', 'kafka_partition', 'kafka_offset', 'arrived_at', 'reason', 'payload_bytes'];
  await bench.databases.clickhouse.insertTsv('usage_rejected_v1', columns, `0\t0\t4\t1790000000\tNOT_JSON\t1\n`);
  expect(await counts()).toMatchObject({ messages: 6n, accepted: 5n, rejected: 1n });

  bench.ends[1] = 3n;
  expect(await counts()).toMatchObject({ messages: 8n, accepted: 5n, rejected: 1n });
});

test('rollups that are not their events are told by what they come to, and conflicting copies count once', async () => {
  await bench.store([
    { id: 'a', at, offset: 0, quantity: '12' },
    { id: 'a', at, offset: 1, quantity: '13' },
    { id: 'b', at, offset: 2, quantity: '3', namespace: 'web.acme' },
  ]);
  await bench.rollUp();
  const barrier = await bench.usage.takeBarrier(OCTOBER, OCTOBER.endAtMs + 3 * DAY_MS);
  await bench.usage.closePeriod(OCTOBER, OCTOBER.endAtMs + 3 * DAY_MS);
  expect(await bench.usage.fetchMiscounts(OCTOBER, barrier)).toEqual({ rollups: [], duplicates: [] });

  const { clickhouse } = bench.databases;
  await clickhouse.command(`ALTER TABLE usage_hour_v1 DELETE WHERE namespace = 'web.acme' SETTINGS mutations_sync = 2`);
  expect(await bench.usage.fetchMiscounts(OCTOBER, barrier)).toEqual({
    rollups: [{ account: 'acme', namespace: 'web.acme', meter: 'actions', right: 30n, counted: 0n }],
    duplicates: [],
  });
  expect(await bench.usage.fetchRollupMismatches(OCTOBER)).toEqual([
    { namespace: 'web.acme', meter: 'actions', grain: 'hour', window: '2026-10-03', right: 30n, counted: 0n },
  ]);
}, 60_000);
