import { afterEach, beforeEach, expect, test } from 'vitest';
import { parsePeriod } from '../domain/period.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';

const OCTOBER = parsePeriod('2026-10');
const NOVEMBER = parsePeriod('2026-11');
const AFTER_GRACE_MS = Date.UTC(2026, 10, 3, 0, 1);

let bench: UsageBench;

beforeEach(async () => {
  bench = await createUsageBench('adjust', 2);
  await bench.store([
    { id: 'a', at: '2026-10-03T10:00:00Z', offset: 0, quantity: '5' },
    { id: 'b', at: '2026-10-04T10:00:00Z', offset: 1, quantity: '2', namespace: 'shop.acme' },
  ]);
  await bench.rollUp();
  await bench.usage.takeBarrier(OCTOBER, AFTER_GRACE_MS);
  await bench.usage.closePeriod(OCTOBER, AFTER_GRACE_MS);
});
afterEach(async () => bench.close());

async function adjust(): Promise<string[]> {
  await bench.rollUp();
  const run = await bench.usage.recordAdjustments(OCTOBER, [...bench.ends]);
  return run.adjustments.map(({ k, namespace, meter, quantity, postedTo }) =>
    [k, namespace, meter, quantity, postedTo].join(' '),
  );
}

test('late usage is posted to the open period once, and what later usage adds comes on top', async () => {
  await bench.store([{ id: 'late', at: '2026-10-05T00:00:00Z', offset: 2, quantity: '3' }]);
  expect(await adjust()).toEqual(['1 pay.acme actions 30 2026-11']);
  expect(await adjust()).toEqual(['1 pay.acme actions 30 2026-11']);
  await bench.store([{ id: 'later', at: '2026-10-05T00:00:00Z', offset: 3, quantity: '4' }]);
  expect(await adjust()).toEqual(['2 pay.acme actions 40 2026-11']);
  expect((await bench.usage.fetchAdjustments(OCTOBER)).map(({ k, quantity }) => [k, quantity])).toEqual([
    [1, 30n],
    [2, 40n],
  ]);
});

test('a void of a closed period is a negative adjustment, also when it takes a late event back', async () => {
  await bench.store([
    { id: 'v', at: '2026-10-04T10:00:00Z', offset: 0, partition: 1, type: 'void', voids: 'b', namespace: 'shop.acme' },
  ]);
  expect(await adjust()).toEqual(['1 shop.acme actions -20 2026-11']);
  await bench.store([{ id: 'late', at: '2026-10-06T00:00:00Z', offset: 2, namespace: 'new.acme' }]);
  expect(await adjust()).toEqual(['2 new.acme actions 10 2026-11']);
  await bench.store([
    { id: 'v2', at: '2026-10-06T00:00:00Z', offset: 3, type: 'void', voids: 'late', namespace: 'new.acme' },
  ]);
  expect(await adjust()).toEqual(['3 new.acme actions -10 2026-11']);
});

test('what changes nothing posts nothing: duplicates, losing copies, usage of other months', async () => {
  await bench.store([
    { id: 'a', at: '2026-10-03T10:00:00Z', offset: 2, quantity: '5' },
    { id: 'a', at: '2026-10-03T10:00:00Z', offset: 3, quantity: '6' },
    { id: 'n', at: '2026-11-03T10:00:00Z', offset: 4 },
  ]);
  await bench.rollUp();
  expect(await bench.usage.recordAdjustments(OCTOBER, [...bench.ends])).toEqual({
    period: '2026-10',
    k: null,
    adjustments: [],
  });
});

test('once the next period is closing, adjustments go to the one behind it', async () => {
  await bench.usage.takeBarrier(NOVEMBER, Date.UTC(2026, 11, 3));
  await bench.store([{ id: 'late', at: '2026-10-05T00:00:00Z', offset: 2 }]);
  expect(await adjust()).toEqual(['1 pay.acme actions 10 2026-12']);
});

test('two recorders at once post once', async () => {
  await bench.store([{ id: 'late', at: '2026-10-05T00:00:00Z', offset: 2 }]);
  await bench.rollUp();
  const upTo = [...bench.ends];
  const runs = await Promise.all([1, 2, 3].map(async () => bench.usage.recordAdjustments(OCTOBER, upTo)));
  expect(runs.map(({ k }) => k)).toEqual([1, 1, 1]);
  expect(await bench.usage.fetchAdjustments(OCTOBER)).toHaveLength(1);
});

test('an open period, and a barrier before a recorded one, are refused', async () => {
  await expect(bench.usage.recordAdjustments(NOVEMBER, [...bench.ends])).rejects.toMatchObject({
    code: 'PERIOD_STATE',
  });
  await bench.store([{ id: 'late', at: '2026-10-05T00:00:00Z', offset: 2 }]);
  await adjust();
  await expect(bench.usage.recordAdjustments(OCTOBER, [2n, 0n])).rejects.toMatchObject({ code: 'PERIOD_STATE' });
});

test('a row that vanished from the truth is an alarm, not a credit', async () => {
  await bench.databases.clickhouse.command(
    `ALTER TABLE usage_events_v1 DELETE WHERE id = 'b' SETTINGS mutations_sync = 2`,
  );
  const adjusting = bench.usage.recordAdjustments(OCTOBER, [...bench.ends]);
  await expect(adjusting).rejects.toMatchObject({ code: 'CLOSE_DIGEST_CHANGED' });
  expect(await bench.usage.fetchAdjustments(OCTOBER)).toEqual([]);
});
