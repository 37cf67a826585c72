// Any quantity that is accepted must add up: far beyond what a sum of the engine's 128-bit decimals holds (I5).

import { afterEach, expect, test } from 'vitest';
import { parsePeriod } from '../domain/period.ts';
import { closePeriod, takeBarrier } from './close.ts';
import { RollupWorker } from './rollup-worker.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';

const OCTOBER = parsePeriod('2026-10');
const CLOSE_AT_MS = Date.UTC(2026, 10, 3, 1);
/** The largest quantity; so many of it, each counted as ten, are 2 * 10^26. */
const QUANTITY = '99999999999999999999';
const EVENTS = 200_000;
const TOTAL = BigInt(QUANTITY) * 10n * BigInt(EVENTS);

let bench: UsageBench;
afterEach(async () => bench.close());

/** Events of one minute, offsets from `from` on, as one block. */
async function storeMany(from: number, count: number): Promise<void> {
  const { clickhouse, db, topic } = bench.deps;
  await clickhouse.command(
    `INSERT INTO usage_events_v1 (namespace, type, time, source, id, quantity, voids, generation, kafka_partition,
       kafka_offset, arrived_at)
     SELECT 'pay.acme', 'workflow_start', '2026-10-03 10:00:00', '/cell', toString(number), {quantity:String}, '', 0, 0,
       number, '2026-10-03 10:00:00'
     FROM numbers({from:UInt64}, {count:UInt64})`,
    { from, count, quantity: QUANTITY },
  );
  const block = `b-${from}`;
  await clickhouse.insertTsv(
    'usage_dirty_v1',
    ['block', 'namespace', 'minute'],
    `${block}\tpay.acme\t${Date.UTC(2026, 9, 3, 10) / 1000}\n`,
  );
  const range = { first_offset: String(from), end_offset: String(from + count) };
  await db
    .insertInto('ingest_blocks')
    .values({
      block,
      topic,
      partition: 0,
      ...range,
      messages: count,
      accepted: count,
      rejected: 0,
      rolled_up_run: null,
    })
    .execute();
  bench.ends[0] = BigInt(from + count);
}

async function fetchTotals(): Promise<Record<string, string>> {
  const totals = ['usage_minute_v1', 'usage_hour_v1', 'usage_day_v1', 'closed_usage_hour_v1'].map(async (table) => {
    const [row] = await bench.deps.clickhouse.query<{ total: string }>(
      `SELECT toString(sum(quantity)) AS total FROM ${table} FINAL`,
    );
    return [table, row?.total ?? ''];
  });
  return Object.fromEntries(await Promise.all(totals)) as Record<string, string>;
}

test.each([
  { way: 'recomputed', busyNamespaces: 1_000 },
  { way: 'kept open', busyNamespaces: 1 },
])('a minute of 2 * 10^26 units stays exact up to its closed hour: $way', async ({ busyNamespaces }) => {
  bench = await createUsageBench(`large_${busyNamespaces}`, 1);
  const { clickhouse, db } = bench.deps;
  const worker = new RollupWorker({ clickhouse, db, busyNamespaces }, () => performance.now());
  for (let from = 0; from < EVENTS; from += EVENTS / 4) {
    await storeMany(from, EVENTS / 4);
    while ((await worker.pass()).blocks > 0);
  }
  expect(await bench.usage.fetchRollupMismatches(OCTOBER)).toEqual([]);
  await takeBarrier(bench.deps, OCTOBER, CLOSE_AT_MS);
  await closePeriod(bench.deps, OCTOBER, CLOSE_AT_MS);
  const total = String(TOTAL);
  expect(await fetchTotals()).toEqual({
    usage_minute_v1: total,
    usage_hour_v1: total,
    usage_day_v1: total,
    closed_usage_hour_v1: total,
  });
});
