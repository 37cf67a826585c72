import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parsePeriod } from '../domain/period.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { createFreshDatabases, type FreshDatabases } from '../platform/testing/fresh-databases.ts';
import { rollUpAll } from './testing/roll-up.ts';
import type { AggregateTables } from './tables.ts';
import { createUsage, type Usage } from './usage.ts';

const OCTOBER = parsePeriod('2026-10');
const AFTER_GRACE = Date.UTC(2026, 10, 3, 0, 1);

type Copy = {
  id: string;
  at: string;
  offset: number;
  partition?: number;
  type?: string;
  quantity?: string;
  namespace?: string;
  voids?: string;
};

let databases: FreshDatabases;
let db: Postgres<AggregateTables>;
let usage: Usage;
let ends: bigint[];

/** Stores copies as the sink would: truth, dirty minutes, one block per call and partition. */
async function store(copies: readonly Copy[]): Promise<void> {
  const { clickhouse } = databases;
  const rows = copies.map((c) => ({ type: 'workflow_start', quantity: '1', namespace: 'pay.acme', ...c }));
  const lines = rows.map((row) => {
    const at = String(Date.parse(row.at) / 1000);
    return [
      row.namespace,
      row.type,
      at,
      '/cell',
      row.id,
      row.quantity,
      row.voids ?? '',
      1,
      row.partition ?? 0,
      row.offset,
      at,
    ];
  });
  const columns = ['namespace', 'type', 'time', 'source', 'id', 'quantity', 'voids', 'generation'];
  const coordinates = ['kafka_partition', 'kafka_offset', 'arrived_at'];
  const text = lines.map((line) => `${line.join('\t')}\n`).join('');
  await clickhouse.insertTsv('usage_events_v1', [...columns, ...coordinates], text);
  for (const [partition, members] of Map.groupBy(rows, (row) => row.partition ?? 0)) {
    const block = `b-${partition}-${Math.random()}`;
    const marks = members.map(
      (row) => `${block}\t${row.namespace}\t${Date.parse(row.at.replace(/:\d\dZ/, ':00Z')) / 1000}\n`,
    );
    await clickhouse.insertTsv('usage_dirty_v1', ['block', 'namespace', 'minute'], marks.join(''));
    const offsets = members.map((row) => row.offset);
    const end = Math.max(...offsets) + 1;
    await db
      .insertInto('ingest_blocks')
      .values({
        block,
        topic: 'usage',
        partition,
        first_offset: String(Math.min(...offsets)),
        end_offset: String(end),
        messages: members.length,
        accepted: members.length,
        rejected: 0,
        rolled_up_run: null,
      })
      .execute();
    if (BigInt(end) > (ends[partition] ?? 0n)) ends[partition] = BigInt(end);
  }
}

async function rollUp(): Promise<void> {
  await rollUpAll({ clickhouse: databases.clickhouse, db });
}

async function minutes(): Promise<Record<string, string>> {
  const rows = await databases.clickhouse.query<{ at: string; units: string }>(
    `SELECT concat(namespace, ' ', toString(minute)) AS at, toString(quantity) AS units FROM usage_minute_v1 FINAL ORDER BY at`,
  );
  return Object.fromEntries(rows.map((row) => [row.at, row.units]));
}

describe('from truth to a closed period', () => {
  beforeAll(async () => {
    databases = await createFreshDatabases('aggregate');
    db = createPostgres<AggregateTables>(databases.postgresUrl);
    ends = [0n, 0n];
    const fetchEndOffsets = () => Promise.resolve([...ends]);
    usage = createUsage({ clickhouse: databases.clickhouse, db, topic: 'usage', fetchEndOffsets });
  });

  afterAll(async () => {
    await db.destroy();
    await databases.close();
  });

  test('a copy redelivered, replayed or resent counts once', async () => {
    await store([{ id: 'a', at: '2026-10-03T10:00:05Z', offset: 0, quantity: '5' }]);
    await store([{ id: 'a', at: '2026-10-03T10:00:05Z', offset: 0, quantity: '5' }]);
    await store([{ id: 'a', at: '2026-10-03T10:00:05Z', offset: 1, quantity: '5' }]);
    await rollUp();
    expect(await minutes()).toEqual({ 'pay.acme 2026-10-03 10:00:00': '50' });
  });

  test('a late event changes its own minute, whenever it comes', async () => {
    await store([{ id: 'b', at: '2026-10-03T10:00:59Z', offset: 2, type: 'child_workflow' }]);
    await rollUp();
    expect(await minutes()).toEqual({ 'pay.acme 2026-10-03 10:00:00': '70' });
  });

  test('a void takes its event back, and the emptied minute is written as zero', async () => {
    await store([{ id: 'c', at: '2026-10-03T11:30:00Z', offset: 0, partition: 1 }]);
    await rollUp();
    await store([{ id: 'v', at: '2026-10-03T11:30:00Z', offset: 3, type: 'void', voids: 'c' }]);
    await rollUp();
    expect(await minutes()).toMatchObject({ 'pay.acme 2026-10-03 11:30:00': '0' });
  });

  test('quantities survive far beyond 2^64', async () => {
    const huge = '99999999999999999999';
    await store([
      { id: 'h1', at: '2026-10-04T00:00:00Z', offset: 4, quantity: huge, namespace: 'big.acme' },
      { id: 'h2', at: '2026-10-04T00:00:00Z', offset: 5, quantity: huge, namespace: 'big.acme' },
    ]);
    await rollUp();
    expect(await minutes()).toMatchObject({ 'big.acme 2026-10-04 00:00:00': '1999999999999999999980' });
  });

  test('the barrier is refused while grace runs, and is the same for every closer afterwards', async () => {
    await expect(usage.takeBarrier(OCTOBER, OCTOBER.endAtMs)).rejects.toThrow('in grace until 2026-11-03');
    await store([
      { id: 'x', at: '2026-10-05T08:00:10Z', offset: 1, partition: 1, quantity: '2' },
      { id: 'x', at: '2026-10-05T09:00:10Z', offset: 2, partition: 1, quantity: '9' },
      { id: 'y', at: '2026-10-05T08:00:20Z', offset: 3, partition: 1, quantity: '3' },
      { id: 'y', at: '2026-10-05T08:00:20Z', offset: 4, partition: 1, quantity: '4' },
    ]);
    const [first, second] = await Promise.all([
      usage.takeBarrier(OCTOBER, AFTER_GRACE),
      usage.takeBarrier(OCTOBER, AFTER_GRACE),
    ]);
    expect(first).toEqual([6n, 5n]);
    expect(second).toEqual(first);
  });

  test('a period does not close before its rollup has caught up', async () => {
    await expect(usage.closePeriod(OCTOBER, AFTER_GRACE)).rejects.toMatchObject({ code: 'ROLLUP_BEHIND' });
  });

  test('conflicting copies are named, the first one is billed, and the digest repeats', async () => {
    await rollUp();
    const closed = await usage.closePeriod(OCTOBER, AFTER_GRACE);
    const totals = await usage.fetchClosedTotals(OCTOBER);
    expect(totals).toContainEqual({
      account: 'acme',
      namespace: 'pay.acme',
      meter: 'actions',
      quantity: 120n,
      events: 4n,
    });
    expect(await usage.fetchIngestCounts(closed.barrier)).toMatchObject({ conflicts: 2n, unique: 8n });
    expect(await usage.fetchRollupMismatches(OCTOBER)).toEqual([]);
    expect(await usage.closePeriod(OCTOBER, AFTER_GRACE)).toEqual(closed);
  });

  test('usage behind the barrier leaves the closed total alone and shows as late', async () => {
    const before = await usage.fetchClosedTotals(OCTOBER);
    await store([
      { id: 'late', at: '2026-10-06T00:00:00Z', offset: 6, quantity: '7' },
      { id: 'a', at: '2026-10-03T10:00:05Z', offset: 7, quantity: '5' },
    ]);
    await rollUp();
    await usage.closePeriod(OCTOBER, AFTER_GRACE);
    expect(await usage.fetchClosedTotals(OCTOBER)).toEqual(before);
    expect(await usage.fetchLateTotals(OCTOBER, await usage.fetchEndOffsets())).toEqual([
      { account: 'acme', namespace: 'pay.acme', meter: 'actions', closed: 120n, withLate: 190n },
    ]);
  });

  test('an altered or deleted row of the truth stops the second close', async () => {
    await databases.clickhouse.command(`ALTER TABLE usage_events_v1 DELETE WHERE id = 'b' SETTINGS mutations_sync = 2`);
    await expect(usage.closePeriod(OCTOBER, AFTER_GRACE)).rejects.toMatchObject({ code: 'CLOSE_DIGEST_CHANGED' });
    expect(await usage.fetchRollupMismatches(OCTOBER)).not.toEqual([]);
  });
});
