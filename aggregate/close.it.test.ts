// A close must come out the same whatever the world does around it: idle partitions, a sink hours behind, clocks that
// jump, a second closer, partitions added late.

import { afterEach, expect, test } from 'vitest';
import { parsePeriod } from '../domain/period.ts';
import { closePeriod, takeBarrier } from './close.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';

const OCTOBER = parsePeriod('2026-10');
const GRACE_ENDS_MS = Date.UTC(2026, 10, 3);
const DAY_MS = 86_400_000;

let bench: UsageBench;
afterEach(async () => bench.close());

test('an idle partition holds nothing up, empty or long silent', async () => {
  bench = await createUsageBench('close_idle', 3);
  await bench.store([{ id: 'early', at: '2026-10-01T00:00:00Z', offset: 0, partition: 1 }]);
  await bench.store([{ id: 'late', at: '2026-10-31T23:59:59.999Z', offset: 0, partition: 2 }]);
  await bench.rollUp();
  expect(await bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS)).toEqual([0n, 1n, 1n]);
  expect(await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS)).toMatchObject({ events: 2n });
});

test('a sink hours behind delays the close and changes nothing about its total', async () => {
  bench = await createUsageBench('close_lag', 2);
  await bench.store([{ id: 'a', at: '2026-10-02T00:00:00Z', offset: 0 }]);
  await bench.rollUp();
  bench.ends[0] = 3n;
  bench.ends[1] = 1n;
  const barrier = await bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS);
  for (const hours of [1, 5]) {
    const closing = bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS + hours * 3_600_000);
    await expect(closing).rejects.toMatchObject({ code: 'ROLLUP_BEHIND', retryable: true });
  }
  // Meanwhile the log goes on: what lies behind the barrier is stored before what lies before it.
  await bench.store([{ id: 'behind', at: '2026-10-02T00:00:00Z', offset: 1, partition: 1, quantity: '100' }]);
  await bench.store([{ id: 'b', at: '2026-10-02T00:00:00Z', offset: 1 }]);
  await bench.store([{ id: 'c', at: '2026-10-02T00:00:00Z', offset: 2 }]);
  await bench.store([{ id: 'd', at: '2026-10-02T00:00:00Z', offset: 0, partition: 1 }]);
  await bench.rollUp();
  const closed = await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS + DAY_MS);
  expect(closed).toMatchObject({ barrier, events: 4n });
  expect(await bench.usage.fetchClosedTotals(OCTOBER)).toMatchObject([{ quantity: 40n }]);
});

test('a clock ahead of the database takes no barrier, one that went back hides none', async () => {
  bench = await createUsageBench('close_clock', 1);
  await bench.store([{ id: 'a', at: '2026-10-02T00:00:00Z', offset: 0 }]);
  await bench.rollUp();
  const ahead = { ...bench.deps, fetchWitnessMs: () => Promise.resolve(Date.UTC(2026, 9, 15)) };
  await expect(takeBarrier(ahead, OCTOBER, GRACE_ENDS_MS)).rejects.toThrow('doubtful clock');
  expect(await bench.db.selectFrom('periods').selectAll().execute()).toEqual([]);

  const agreed = { ...bench.deps, fetchWitnessMs: () => Promise.resolve(GRACE_ENDS_MS - 60_000) };
  const barrier = await takeBarrier(agreed, OCTOBER, GRACE_ENDS_MS);
  await bench.store([{ id: 'b', at: '2026-10-02T00:00:00Z', offset: 1 }]);
  await bench.rollUp();
  const wentBackMs = Date.UTC(2026, 9, 20);
  expect(await takeBarrier(ahead, OCTOBER, wentBackMs)).toEqual(barrier);
  expect(await closePeriod(ahead, OCTOBER, wentBackMs)).toMatchObject({ barrier, events: 1n });
  const record = await bench.db.selectFrom('periods').selectAll().executeTakeFirstOrThrow();
  expect(record.closed_at).toEqual(record.barrier_at);
  // Years ahead after the close: the period is what it was.
  expect(await closePeriod(agreed, OCTOBER, GRACE_ENDS_MS + 3_650 * DAY_MS)).toMatchObject({ events: 1n });
});

test('closers at once agree on barrier and digest', async () => {
  bench = await createUsageBench('close_twice', 2);
  const copies = Array.from({ length: 200 }, (_, n) => {
    return { id: `e${n}`, at: '2026-10-09T10:00:00Z', offset: n, namespace: `n${n % 9}.acme` };
  });
  await bench.store([
    ...copies,
    { id: 'e0', at: '2026-10-09T10:00:00Z', offset: 200, quantity: '5', namespace: 'n0.acme' },
  ]);
  await bench.rollUp();
  const barriers = await Promise.all([0, 1, 2].map(async (n) => bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS + n)));
  expect(new Set(barriers.map(String)).size).toBe(1);
  const closed = await Promise.all([0, 1, 2].map(async (n) => bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS + n)));
  expect(new Set(closed.map(({ digest }) => digest)).size).toBe(1);
  expect(closed[0]).toMatchObject({ events: 200n });
});

test('partitions added after the barrier hold late usage only', async () => {
  bench = await createUsageBench('close_grow', 1);
  await bench.store([{ id: 'a', at: '2026-10-02T00:00:00Z', offset: 0 }]);
  await bench.rollUp();
  await bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS);
  await bench.store([{ id: 'b', at: '2026-10-02T00:00:00Z', offset: 0, partition: 1, quantity: '7' }]);
  await bench.rollUp();
  expect(await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS)).toMatchObject({ barrier: [1n], events: 1n });
  expect(await bench.usage.fetchLateTotals(OCTOBER, bench.ends)).toMatchObject([{ closed: 10n, withLate: 80n }]);
});

test('a log that lacks a partition, or ends before what was read from it, gives no barrier', async () => {
  bench = await createUsageBench('close_shrunk', 2);
  await bench.store([{ id: 'a', at: '2026-10-02T00:00:00Z', offset: 4, partition: 1 }]);
  const shrunk = (ends: bigint[]) => ({ ...bench.deps, fetchEndOffsets: () => Promise.resolve(ends) });
  for (const ends of [[0n], [0n, 4n]]) {
    const barrier = takeBarrier(shrunk(ends), OCTOBER, GRACE_ENDS_MS);
    await expect(barrier).rejects.toMatchObject({ code: 'INVARIANT_BROKEN' });
  }
});

test('a void takes back what its first copy names, and nothing else, merged or not', async () => {
  bench = await createUsageBench('close_voids', 1);
  const at = '2026-10-02T00:00:00Z';
  await bench.store([
    { id: 'a', at, offset: 0, quantity: '1' },
    { id: 'b', at, offset: 1, quantity: '2' },
    { id: 'c', at: '2026-10-02T01:00:00Z', offset: 2, quantity: '4' },
    { id: 'v', at, offset: 3, type: 'void', voids: 'a' },
  ]);
  // The same id once more, naming other usage: at the same time, and at another.
  await bench.store([{ id: 'v', at, offset: 4, type: 'void', voids: 'b' }]);
  await bench.store([{ id: 'v', at: '2026-10-02T01:00:00Z', offset: 5, type: 'void', voids: 'c' }]);
  await bench.rollUp();
  await bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS);
  const closed = await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS);
  expect(await bench.usage.fetchClosedTotals(OCTOBER)).toMatchObject([{ quantity: 60n, events: 2n }]);
  await bench.databases.clickhouse.command('OPTIMIZE TABLE usage_events_v1 FINAL');
  expect(await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS)).toEqual(closed);
});

test('blocks before the last closed barrier are not read again, those that came twice are waited for', async () => {
  bench = await createUsageBench('close_log', 2);
  const at = '2026-10-02T00:00:00Z';
  await bench.store([{ id: 'a', at, offset: 0 }]);
  await bench.store([{ id: 'b', at, offset: 1 }]);
  await bench.rollUp();
  await bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS);
  const closed = await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS);
  // Read, it would be a gap now; the integrity job, which reads everything, finds it.
  await bench.db.deleteFrom('ingest_blocks').where('first_offset', '=', '0').execute();
  expect(await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS)).toEqual(closed);
  await bench.store([{ id: 'a', at, offset: 0 }]);
  await expect(bench.usage.checkRolledUp(closed.barrier)).rejects.toMatchObject({ code: 'ROLLUP_BEHIND' });
  await bench.rollUp();
  await bench.usage.checkRolledUp(closed.barrier);
  // Behind the barrier every block counts as before, in partitions that are new too.
  await bench.store([{ id: 'c', at, offset: 3 }]);
  await bench.store([{ id: 'd', at, offset: 1, partition: 1 }]);
  await bench.rollUp();
  await expect(bench.usage.checkRolledUp([4n])).rejects.toThrow('from 2 to 3');
  await expect(bench.usage.checkRolledUp([2n, 2n])).rejects.toThrow('from 0 to 1');
});

test('rollups are recomputed for conflicts that are new, and left alone for those that are known', async () => {
  bench = await createUsageBench('close_conflicts', 1);
  const at = '2026-10-02T00:00:00Z';
  await bench.store([
    { id: 'a', at, offset: 0 },
    { id: 'a', at, offset: 1, quantity: '9' },
  ]);
  await bench.rollUp();
  await bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS);
  await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS);
  const runs = async () => {
    return bench.databases.clickhouse.query(
      'SELECT toString(max(run)) AS newest, toString(argMax(quantity, run)) AS total FROM usage_minute_v1',
    );
  };
  const swept = await runs();
  expect(swept).toMatchObject([{ total: '10' }]);
  await bench.usage.fetchLateTotals(OCTOBER, bench.ends);
  await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS);
  expect(await runs()).toEqual(swept);

  await bench.store([{ id: 'a', at, offset: 2, quantity: '5' }]);
  await bench.rollUp();
  const late = await bench.usage.fetchLateTotals(OCTOBER, bench.ends);
  expect(late).toEqual([]);
  expect(await runs()).not.toEqual(swept);
  expect(await bench.usage.fetchRollupMismatches(OCTOBER)).toEqual([]);
});

/** A row that no sink wrote: truth without a block, before every barrier. */
async function forge(id: string, at: string, namespace: string): Promise<void> {
  await bench.databases.clickhouse.command(
    `INSERT INTO usage_events_v1 (namespace, type, time, source, id, quantity, generation, kafka_partition, kafka_offset, arrived_at)
     SELECT {namespace:String}, type, parseDateTime64BestEffort({at:String}, 3, 'UTC'), source, {id:String}, quantity, generation, 0, 0, arrived_at
     FROM usage_events_v1 LIMIT 1`,
    { id, at, namespace },
  );
}

async function mutate(statement: string): Promise<void> {
  await bench.databases.clickhouse.command(`${statement} SETTINGS mutations_sync = 2`);
}

test('hours of an attempt that stopped count no more once the truth does not have them', async () => {
  bench = await createUsageBench('close_attempt', 1);
  await bench.store([{ id: 'a', at: '2026-10-02T00:00:00Z', offset: 0 }]);
  await bench.rollUp();
  await bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS);
  await forge('other hour', '2026-10-02T05:00:00Z', 'pay.acme');
  await forge('other account', '2026-10-02T00:00:00Z', 'pay.nobody');
  await expect(bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS)).rejects.toThrow('I3: 2 windows');
  expect(await bench.usage.fetchClosedTotals(OCTOBER)).toHaveLength(2);

  await mutate(`ALTER TABLE usage_events_v1 DELETE WHERE id LIKE 'other %'`);
  const closed = await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS);
  expect(closed.events).toBe(1n);
  expect(await bench.usage.fetchClosedTotals(OCTOBER)).toMatchObject([{ namespace: 'pay.acme', quantity: 10n }]);
  expect(await bench.usage.fetchClosedHours(OCTOBER, 'acme')).toHaveLength(1);
  expect(await bench.usage.fetchClosedHours(OCTOBER, 'nobody')).toEqual([]);
  expect(await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS)).toEqual(closed);
});

test('hours that are not stored as the truth has them close nothing', async () => {
  bench = await createUsageBench('close_stored', 1);
  await bench.store([{ id: 'a', at: '2026-10-02T00:00:00Z', offset: 0 }]);
  await bench.rollUp();
  await bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS);
  const { clickhouse } = bench.databases;
  const command: typeof clickhouse.command = async (sql, parameters) => {
    await clickhouse.command(sql, parameters);
    if (sql.includes('INSERT INTO closed_usage_hour_v1')) {
      await mutate('ALTER TABLE closed_usage_hour_v1 UPDATE quantity = quantity + 1 WHERE true');
    }
  };
  const closing = closePeriod({ ...bench.deps, clickhouse: { ...clickhouse, command } }, OCTOBER, GRACE_ENDS_MS);
  await expect(closing).rejects.toThrow('I4: hours of 2026-10 were stored with digest');
  expect(await bench.db.selectFrom('periods').select(['state', 'digest']).execute()).toEqual([
    { state: 'CLOSING', digest: null },
  ]);
  expect(await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS)).toMatchObject({ events: 1n });
});

test('a period is held to the weights that it was closed with, whatever they are by now', async () => {
  bench = await createUsageBench('close_weights', 1);
  const at = '2026-10-02T00:00:00Z';
  await bench.store([{ id: 'a', at, offset: 0 }]);
  await bench.rollUp();
  await bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS);
  // As a release would have left it under which everything weighed three times as much.
  const { catalogue } = await bench.db.selectFrom('periods').select('catalogue').executeTakeFirstOrThrow();
  const weights = catalogue.weights.map((weight) => weight * 3);
  await bench.db
    .updateTable('periods')
    .set({ catalogue: JSON.stringify({ ...catalogue, weights }) })
    .execute();
  for (const grain of ['minute', 'hour', 'day']) {
    await mutate(`ALTER TABLE usage_${grain}_v1 UPDATE quantity = quantity * 3 WHERE true`);
  }
  const closed = await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS);
  expect(await bench.usage.fetchClosedTotals(OCTOBER)).toMatchObject([{ quantity: 30n }]);
  expect(await bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS)).toEqual(closed);
  expect(await bench.usage.fetchRollupMismatches(OCTOBER)).toEqual([]);
  expect(await bench.usage.fetchMiscounts(OCTOBER, closed.barrier)).toEqual({ rollups: [], duplicates: [] });
  // And no other: a minute by today's weights is damage there.
  await mutate('ALTER TABLE usage_minute_v1 UPDATE quantity = 10 WHERE true');
  expect(await bench.usage.fetchRollupMismatches(OCTOBER)).toContainEqual(
    expect.objectContaining({ grain: 'minute', right: 30n, counted: 10n }),
  );
});
