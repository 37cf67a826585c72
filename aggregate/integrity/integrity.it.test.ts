// Corruptions planted one by one: each must be found, and named for what it is.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createUsageBench, type UsageBench } from '../testing/usage-bench.ts';
import { joinBlocks } from '../block-joins.ts';
import { lookAtTouchedMinutes } from './blocks.ts';
import { fetchFindings } from './findings.ts';
import { runIntegrity, type IntegrityRun } from './run.ts';
import { createSampling } from './sampling.ts';

const NOW_MS = Date.UTC(2026, 9, 20, 12, 30);
const HOURS = ['10', '11', '12'];

let bench: UsageBench;

/** Two sources, three hours two and a half days ago, manifests that agree; both still alive. */
beforeEach(async () => {
  bench = await createUsageBench('integrity', 2);
  let offset = 0;
  for (const hour of HOURS) {
    await bench.store([
      { id: `a${hour}`, at: `2026-10-18T${hour}:05:00Z`, offset, source: '/one', quantity: '3' },
      { id: `b${hour}`, at: `2026-10-18T${hour}:15:00Z`, offset: offset + 1, source: '/one' },
      {
        id: `v${hour}`,
        at: `2026-10-18T${hour}:15:00Z`,
        offset: offset + 2,
        source: '/one',
        type: 'void',
        voids: `b${hour}`,
      },
    ]);
    await bench.store([
      { id: `c${hour}`, at: `2026-10-18T${hour}:05:00Z`, offset: offset / 3, partition: 1, source: '/two' },
    ]);
    offset += 3;
  }
  const manifests = HOURS.flatMap((hour) => [
    manifest('/one', `2026-10-18 ${hour}:00:00`, 3, 4),
    manifest('/two', `2026-10-18 ${hour}:00:00`, 1, 1),
  ]);
  await insertManifests([
    ...manifests,
    manifest('/one', '2026-10-20 12:00:00', 0, 0),
    manifest('/two', '2026-10-20 12:00:00', 0, 0),
  ]);
  await bench.rollUp();
});
afterEach(async () => bench.close());

/** Columns behind the hour: events, quantity, revision. */
function manifest(source: string, hour: string, ...[events, quantity, revision = 1]: number[]): string {
  return [source, hour, revision, events, quantity].join('\t');
}

async function insertManifests(lines: readonly string[]): Promise<void> {
  const text = lines.map((line) => `${line}\n`).join('');
  await bench.databases.clickhouse.insertTsv(
    'usage_manifests_v1',
    ['source', 'hour', 'revision', 'events', 'quantity'],
    text,
  );
}

async function mutate(statement: string): Promise<void> {
  await bench.databases.clickhouse.command(`${statement} SETTINGS mutations_sync = 2`);
}

async function look(nowMs = NOW_MS): Promise<IntegrityRun> {
  const run = await runIntegrity(bench.deps, { nowMs, secondLookMs: 0 });
  expect(run.failed).toEqual([]);
  return run;
}

/** Kinds and keys that stand open after two looks. */
async function lookTwice(): Promise<string[]> {
  await look();
  const { findings } = await look();
  return findings.map(({ kind, key, state }) => `${state} ${kind} ${key}`).sort();
}

test('a sound system has no findings, however often one looks', async () => {
  expect(await lookTwice()).toEqual([]);
});

describe('planted corruption', () => {
  test('a row deleted from the truth', async () => {
    await mutate(`ALTER TABLE usage_events_v1 DELETE WHERE id = 'a11'`);
    expect(await lookTwice()).toEqual([
      'OPEN SOURCE_SHORT /one 2026-10-18T11:00:00.000Z',
      'OPEN TRUTH_ALTERED pay.acme actions 2026-10-18 11:05:00',
    ]);
  });

  test('all rows of a minute deleted from the truth: the block that touched it says so too', async () => {
    await mutate(
      `ALTER TABLE usage_events_v1 DELETE WHERE toStartOfMinute(time) = toDateTime('2026-10-18 12:15:00', 'UTC')`,
    );
    expect(await lookTwice()).toContain('OPEN TRUTH_MISSING pay.acme 2026-10-18 12:15:00');
  });

  test('a quantity changed in the truth', async () => {
    await bench.databases.clickhouse.command(
      `INSERT INTO usage_events_v1 (namespace, type, time, source, id, quantity, generation, kafka_partition, kafka_offset, arrived_at)
       SELECT namespace, type, time, source, 'forged', 7, generation, 0, 1, arrived_at FROM usage_events_v1 WHERE id = 'a10'`,
    );
    expect(await lookTwice()).toEqual([
      'OPEN MANIFEST_SHORT /one 2026-10-18T10:00:00.000Z',
      'OPEN TRUTH_ALTERED pay.acme actions 2026-10-18 10:05:00',
    ]);
  });

  test.each([
    ['minute', 'minute', 'pay.acme actions 2026-10-18 11:05:00'],
    ['hour', 'hour', 'pay.acme actions hour 2026-10-18T11:00:00.000Z'],
    ['day', 'day', 'pay.acme actions day 2026-10-18T00:00:00.000Z'],
  ])('an altered %s rollup', async (grain, column, key) => {
    const at = { minute: "'2026-10-18 11:05:00'", hour: "'2026-10-18 11:00:00'", day: "'2026-10-18'" }[grain] ?? '';
    await mutate(`ALTER TABLE usage_${grain}_v1 UPDATE quantity = quantity + 1 WHERE ${column} = ${at}`);
    const found = await lookTwice();
    expect(found).toContain(`OPEN ROLLUP_ALTERED ${key}`);
    expect(found.filter((line) => !line.includes('ROLLUP_ALTERED'))).toEqual([]);
  });

  test('a block record skipped, in the middle and at the end', async () => {
    await bench.db.deleteFrom('ingest_blocks').where('first_offset', 'in', ['3']).where('partition', '=', 0).execute();
    await bench.db.deleteFrom('ingest_blocks').where('first_offset', '=', '2').where('partition', '=', 1).execute();
    expect(await lookTwice()).toEqual(['OPEN BLOCK_GAP usage 0 3', 'OPEN BLOCK_MISSING usage 1 2']);
    const [gap] = await fetchFindings(bench.db);
    // Rows in the gap say that the record is missing, not the messages.
    expect(gap?.evidence).toMatchObject({ partition: 0, from: '3', to: '6', storedRows: '3' });
  });

  test('a block that counts other messages than its range holds', async () => {
    await bench.db
      .updateTable('ingest_blocks')
      .set({ messages: 2, accepted: 2 })
      .where('first_offset', '=', '6')
      .execute();
    expect(await lookTwice()).toEqual([expect.stringContaining('OPEN BLOCK_COUNT b-0-')]);
    // Read again to its end, in two pieces, it no longer stands; half of it is not enough.
    const [bad] = await bench.db.selectFrom('ingest_blocks').selectAll().where('first_offset', '=', '6').execute();
    if (bad === undefined) throw new Error('there is no such block');
    const [first, end] = [BigInt(bad.first_offset), BigInt(bad.end_offset)];
    const read = async (from: bigint, to: bigint) => {
      const { topic, partition } = bad;
      const messages = Number(to - from);
      const range = { first_offset: String(from), end_offset: String(to), messages, accepted: messages, rejected: 0 };
      await bench.db
        .insertInto('ingest_blocks')
        .values({ block: `again-${from}`, topic, partition, ...range, rolled_up_run: '1' })
        .execute();
    };
    await read(first, end - 1n);
    expect(await lookTwice()).toEqual([expect.stringContaining('OPEN BLOCK_COUNT b-0-')]);
    await read(end - 1n, end);
    expect(await lookTwice()).toEqual([]);
  });

  test('a manifest that says less or more than arrived, or is missing', async () => {
    await insertManifests([
      manifest('/one', '2026-10-18 10:00:00', 2, 4, 2),
      manifest('/two', '2026-10-18 11:00:00', 5, 5, 2),
    ]);
    await mutate(`ALTER TABLE usage_manifests_v1 DELETE WHERE source = '/two' AND hour = '2026-10-18 10:00:00'`);
    expect(await lookTwice()).toEqual([
      'OPEN MANIFEST_MISSING /two 2026-10-18T10:00:00.000Z',
      'OPEN MANIFEST_SHORT /one 2026-10-18T10:00:00.000Z',
      'OPEN SOURCE_SHORT /two 2026-10-18T11:00:00.000Z',
    ]);
  });

  test('a source that fell silent', async () => {
    await mutate(`ALTER TABLE usage_manifests_v1 DELETE WHERE source = '/two' AND hour > '2026-10-19 00:00:00'`);
    expect(await lookTwice()).toEqual(['OPEN SOURCE_SILENT /two']);
  });

  test('an id used twice', async () => {
    await bench.store([{ id: 'a12', at: '2026-10-18T12:05:00Z', offset: 9, source: '/one', quantity: '9' }]);
    await bench.rollUp();
    expect(await lookTwice()).toContain('OPEN CONFLICTING_COPIES /one 2026-10');
  });
});

test('a lost minute stands as a finding after its marks were swept, until it holds events again', async () => {
  const { clickhouse } = bench.databases;
  await mutate(
    `ALTER TABLE usage_events_v1 DELETE WHERE toStartOfMinute(time) = toDateTime('2026-10-18 12:15:00', 'UTC')`,
  );
  const finding = 'OPEN TRUTH_MISSING pay.acme 2026-10-18 12:15:00';
  expect(await lookTwice()).toContain(finding);
  await clickhouse.command('TRUNCATE TABLE usage_dirty_v1');
  expect(await lookTwice()).toContain(finding);
  await bench.store([{ id: 'b12', at: '2026-10-18T12:15:00Z', offset: 9, source: '/one' }]);
  await bench.rollUp();
  expect(await lookTwice()).not.toContain(finding);
});

test('touched minutes are looked at by their marks, also when their blocks were joined', async () => {
  await joinBlocks(bench.deps, { aloneMs: 0 });
  expect((await bench.db.selectFrom('ingest_blocks').select('block').execute()).length).toBe(3);
  expect(await lookTwice()).toEqual([]);
  await mutate(
    `ALTER TABLE usage_events_v1 DELETE WHERE toStartOfMinute(time) = toDateTime('2026-10-18 10:15:00', 'UTC')`,
  );
  expect(await lookTwice()).toContain('OPEN TRUTH_MISSING pay.acme 2026-10-18 10:15:00');
});

test('of many marks some are drawn, every one of them sooner or later, and the newest always', async () => {
  // A mark is drawn by its place in a part.
  await bench.databases.clickhouse.command('SYSTEM STOP MERGES usage_dirty_v1');
  const offsets = Array.from({ length: 60 }, (_, n) => 9 + n);
  for (const offset of offsets) {
    await bench.store([{ id: `m${offset}`, at: `2026-10-19T10:${String(offset % 60).padStart(2, '0')}:00Z`, offset }]);
  }
  await bench.rollUp();
  await mutate(
    `ALTER TABLE usage_events_v1 DELETE WHERE toStartOfHour(time) = toDateTime('2026-10-19 10:00:00', 'UTC')`,
  );
  const seen = new Map<number, Set<string>>();
  for (let n = 0; n < 8; n += 1) {
    const sampling = createSampling({ hours: 1, blocks: 12, standing: [], random: () => n / 8 });
    const { sights } = await lookAtTouchedMinutes(bench.deps, sampling);
    seen.set(n, new Set(sights.map(({ key }) => key)));
  }
  for (const keys of seen.values()) {
    expect(keys.size).toBeLessThan(60);
    for (const minute of ['08', '07', '06']) expect(keys).toContain(`pay.acme 2026-10-19 10:${minute}:00`);
  }
  expect(new Set([...seen.values()].flatMap((keys) => [...keys])).size).toBe(60);
});

test('what a write in flight can explain is only suspected at first sight, and gone when the write is done', async () => {
  await bench.db.deleteFrom('ingest_blocks').where('first_offset', '=', '2').where('partition', '=', 1).execute();
  const first = await look();
  expect(first.findings).toMatchObject([{ kind: 'BLOCK_MISSING', state: 'SUSPECTED' }]);
  await bench.store([{ id: 'c12', at: '2026-10-18T12:05:00Z', offset: 2, partition: 1, source: '/two' }]);
  await bench.rollUp();
  expect((await look()).findings).toEqual([]);
  expect(await fetchFindings(bench.db, true)).toMatchObject([{ kind: 'BLOCK_MISSING', state: 'RESOLVED' }]);
});

test('two looks that each meet a write in flight have not seen one thing twice', async () => {
  const inFlight = async (offset: number) =>
    bench.db.deleteFrom('ingest_blocks').where('first_offset', '=', `${offset}`).where('partition', '=', 1).execute();
  await inFlight(2);
  await look();
  await bench.store([{ id: 'c12', at: '2026-10-18T12:05:00Z', offset: 2, partition: 1, source: '/two' }]);
  await bench.store([{ id: 'c13', at: '2026-10-18T12:06:00Z', offset: 3, partition: 1, source: '/two' }]);
  await bench.rollUp();
  await inFlight(3);
  expect((await look()).findings).toMatchObject([{ kind: 'BLOCK_MISSING', state: 'SUSPECTED', seen: 1 }]);
});

test('a finding is resolved once its cause is mended, and two looks at once are one', async () => {
  await insertManifests([manifest('/two', '2026-10-18 11:00:00', 2, 2, 2)]);
  await bench.db.deleteFrom('ingest_blocks').where('first_offset', '=', '2').where('partition', '=', 1).execute();
  const options = { nowMs: NOW_MS, secondLookMs: 60_000 };
  await Promise.all([runIntegrity(bench.deps, options), runIntegrity(bench.deps, options)]);
  expect((await fetchFindings(bench.db)).map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    'SOURCE_SHORT OPEN',
    'BLOCK_MISSING SUSPECTED',
  ]);
  await bench.store([{ id: 'late', at: '2026-10-18T11:59:00Z', offset: 3, partition: 1, source: '/two' }]);
  await bench.rollUp();
  expect((await look()).findings.map(({ kind }) => kind)).toEqual(['BLOCK_GAP']);
});

test('what is not yet due is no finding', async () => {
  await insertManifests([manifest('/two', '2026-10-20 10:00:00', 500, 500)]);
  expect(await lookTwice()).toEqual([]);
});
