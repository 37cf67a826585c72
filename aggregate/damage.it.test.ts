// What was found and not mended holds closes and adjustments back, and nothing else does.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { FINDING_KINDS, type FindingKind } from '../domain/contracts/integrity-findings.ts';
import { parsePeriod } from '../domain/period.ts';
import { recordAdjustments } from './adjustments.ts';
import { closePeriod } from './close.ts';
import { fetchFindings, recordLook, type Evidence } from './integrity/findings.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';

const OCTOBER = parsePeriod('2026-10');
const GRACE_ENDS_MS = Date.UTC(2026, 10, 3);
/** What says that usage is missing, too much or altered; the others say it of what sources promised, or are settled by the close. */
const DAMAGE: readonly FindingKind[] = [
  'BLOCK_GAP',
  'BLOCK_MISSING',
  'BLOCK_COUNT',
  'PART_LOST',
  'TRUTH_MISSING',
  'TRUTH_ALTERED',
  'ROLLUP_ALTERED',
];
const HARMLESS = FINDING_KINDS.filter((kind) => !DAMAGE.includes(kind));

let bench: UsageBench;
beforeEach(async () => {
  bench = await createUsageBench('damage', 1);
  await bench.store([{ id: 'a', at: '2026-10-02T00:00:00Z', offset: 0 }]);
  await bench.rollUp();
  await bench.usage.takeBarrier(OCTOBER, GRACE_ENDS_MS);
});
afterEach(async () => bench.close());

/** One sight: of kinds that a write in flight may look like, the first is only a suspicion. */
async function see(kind: FindingKind, evidence: Evidence = {}): Promise<void> {
  const sights = [{ kind, key: `some ${kind}`, evidence }];
  const look = { kinds: [kind], sights, covers: () => true };
  await recordLook(bench.db, look, { atMs: Date.now(), secondLookMs: 0 });
}

async function find(kind: FindingKind, evidence: Evidence = {}): Promise<void> {
  await see(kind, evidence);
  await see(kind, evidence);
  expect(await fetchFindings(bench.db)).toContainEqual(expect.objectContaining({ kind, state: 'OPEN' }));
}

async function resolve(kind: FindingKind): Promise<void> {
  const look = { kinds: [kind], sights: [], covers: () => true };
  await recordLook(bench.db, look, { atMs: Date.now(), secondLookMs: 0 });
}

/** A month that was closed, archived and dropped. */
async function recordDropped(key: string): Promise<void> {
  const at = new Date(GRACE_ENDS_MS);
  const closed = { state: 'CLOSED' as const, digest: 'd', events: '0', closed_at: at };
  await bench.db
    .insertInto('periods')
    .values({ key, topic: 'usage', barrier: '["0"]', barrier_at: at, catalogue: '{}', ...closed })
    .execute();
  const dropped = { state: 'DROPPED' as const, digest: 'd', archived_at: at, verified_at: at, dropped_at: at };
  await bench.db
    .insertInto('period_archives')
    .values({ period: key, folder: '/archive', files: '[]', ...dropped })
    .execute();
}

const close = async () => bench.usage.closePeriod(OCTOBER, GRACE_ENDS_MS);
const adjust = async () => bench.usage.recordAdjustments(OCTOBER, [...bench.ends]);
const countHours = async () =>
  bench.databases.clickhouse.query('SELECT toString(count()) AS hours FROM closed_usage_hour_v1');

test('each kind of damage holds a close back before it writes, by name, and only while it stands', async () => {
  for (const kind of DAMAGE) {
    await find(kind);
    await expect(close(), kind).rejects.toMatchObject({
      code: 'USAGE_DAMAGED',
      retryable: true,
      message: expect.stringContaining(`${kind} some ${kind}`) as unknown,
      next: expect.stringContaining('trueup integrity run') as unknown,
    });
    expect(await countHours()).toEqual([{ hours: '0' }]);
    await resolve(kind);
  }
  expect(await close()).toMatchObject({ events: 1n });
});

test('each kind of damage holds adjustments back, and only while it stands', async () => {
  await close();
  await bench.store([{ id: 'late', at: '2026-10-02T00:00:00Z', offset: 1 }]);
  await bench.rollUp();
  for (const kind of DAMAGE) {
    await find(kind);
    await expect(adjust(), kind).rejects.toMatchObject({ code: 'USAGE_DAMAGED', retryable: true });
    expect(await bench.usage.fetchAdjustments(OCTOBER)).toEqual([]);
    await resolve(kind);
  }
  expect(await adjust()).toMatchObject({ k: 1 });
});

test('damage that shows while a close or an adjustment is being computed is not recorded', async () => {
  const { clickhouse } = bench.databases;
  const command: typeof clickhouse.command = async (sql, parameters) => {
    await clickhouse.command(sql, parameters);
    if (sql.includes('INSERT INTO closed_usage_hour_v1')) await find('PART_LOST');
  };
  const damaged = { code: 'USAGE_DAMAGED' };
  const closing = closePeriod({ ...bench.deps, clickhouse: { ...clickhouse, command } }, OCTOBER, GRACE_ENDS_MS);
  await expect(closing).rejects.toMatchObject(damaged);
  expect(await bench.db.selectFrom('periods').select(['state', 'digest']).execute()).toEqual([
    { state: 'CLOSING', digest: null },
  ]);
  await resolve('PART_LOST');
  await close();

  await bench.store([{ id: 'late', at: '2026-10-02T00:00:00Z', offset: 1 }]);
  await bench.rollUp();
  const query: typeof clickhouse.query = async (sql, parameters) => {
    if (sql.includes('AS delta')) await find('PART_LOST');
    return clickhouse.query(sql, parameters);
  };
  const deps = { ...bench.deps, clickhouse: { ...clickhouse, query } };
  await expect(recordAdjustments(deps, OCTOBER, [...bench.ends])).rejects.toMatchObject(damaged);
  expect(await bench.usage.fetchAdjustments(OCTOBER)).toEqual([]);
});

test('what a source announced or sent twice, and what is only suspected, holds nothing back', async () => {
  for (const kind of HARMLESS) await find(kind);
  await see('TRUTH_MISSING');
  expect(await close()).toMatchObject({ events: 1n });
  await bench.store([{ id: 'late', at: '2026-10-02T00:00:00Z', offset: 1 }]);
  await bench.rollUp();
  expect(await adjust()).toMatchObject({ k: 1 });
});

test('a month whose raw events were archived and dropped can be damaged no more', async () => {
  await recordDropped('2026-03');
  await find('TRUTH_MISSING', { minute: '2026-03-04 05:06:00' });
  await find('ROLLUP_ALTERED', { hour: Date.UTC(2026, 2, 4, 5) / 1_000 });
  await find('PART_LOST', { table: 'usage_day_v1', partition: '202603' });
  expect(await close()).toMatchObject({ events: 1n });
  await find('TRUTH_ALTERED', { minute: '2026-04-04 05:06:00', hour: Date.UTC(2026, 3, 4, 5) / 1_000 });
  await expect(close()).rejects.toMatchObject({ code: 'USAGE_DAMAGED' });
});
