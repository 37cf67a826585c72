// The block log in Postgres: what is asked of it must be what a plain walk over the blocks gives, before and after old ones
// were joined, and must not bring the blocks here.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { sql, type KyselyPlugin } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPostgresProxy } from '../fixtures/torture/postgres-proxy.ts';
import { advanceClock, type BusinessClockTables } from '../platform/clock.ts';
import { createKafka } from '../platform/kafka.ts';
import { createLog } from '../platform/log.ts';
import { createPostgres } from '../platform/postgres.ts';
import { retryUnavailable } from '../platform/retry.ts';
import { checkStoresAgree, type FencedTables } from '../platform/store-fence.ts';
import { joinBlocks } from './block-joins.ts';
import { checkRolledUp, fetchRestoration, fetchStoredLog } from './block-log.ts';
import { computeCoverage, type Coverage } from './coverage.ts';
import { fetchAccepted } from './fates.ts';
import { lookAtBlocks } from './integrity/blocks.ts';
import type { AggregateTables } from './tables.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';

const INTEGRITY = new URL('./integrity/main.ts', import.meta.url).pathname;

let bench: UsageBench;
beforeAll(async () => {
  bench = await createUsageBench('block_log', 3);
  await insertRejects();
});
afterAll(async () => bench.close());

type Block = { readonly partition: number; readonly first: number; readonly end: number; readonly rolledUp: boolean };

const PARTITIONS = 3;
const OFFSETS = 40;
/** Everywhere the same, as a record is judged the same however often it is read. */
const isRejected = (partition: number, offset: number) => (offset * 7 + partition) % 5 === 0;

async function insertRejects(): Promise<void> {
  const lines = Array.from({ length: PARTITIONS * OFFSETS }, (_, n) => [n % PARTITIONS, Math.floor(n / PARTITIONS)])
    .filter(([partition = 0, offset = 0]) => isRejected(partition, offset))
    .map(([partition, offset]) => `0\t${partition}\t${offset}\t2026-10-03 10:00:00\n`);
  const columns = ['generation', 'kafka_partition', 'kafka_offset', 'arrived_at'];
  await bench.databases.clickhouse.insertTsv('usage_rejected_v1', columns, lines.join(''));
}

let logs = 0;

/** A log of its own, recorded in this order long ago, but for a last block nobody can join. */
async function record(blocks: readonly Block[]): Promise<string> {
  logs += 1;
  const topic = `log-${logs}`;
  const rows = blocks.map(({ partition, first, end, rolledUp }, n) => {
    const offsets = Array.from({ length: end - first }, (_, index) => first + index);
    const rejected = offsets.filter((offset) => isRejected(partition, offset)).length;
    return {
      block: `${topic}-${n}`,
      topic,
      partition,
      first_offset: String(first),
      end_offset: String(end),
      messages: end - first,
      accepted: end - first - rejected,
      rejected,
      rolled_up_run: rolledUp ? String(n + 1) : null,
      stored_at: new Date(Date.now() - 86_400_000 + n),
    };
  });
  if (rows.length > 0) await bench.db.insertInto('ingest_blocks').values(rows).execute();
  return topic;
}

const partition = fc.nat(PARTITIONS - 1);
const range = fc.tuple(fc.nat(OFFSETS - 9), fc.integer({ min: 1, max: 8 }));
const blocks: fc.Arbitrary<Block[]> = fc.oneof(
  // Anywhere.
  fc.array(
    fc.record({ partition, range, rolledUp: fc.boolean() }).map(({ range: [first, length], ...rest }) => {
      return { first, end: first + length, ...rest };
    }),
    { maxLength: 15 },
  ),
  // As sinks do: each goes on where the one before ended, or begins again at an earlier end; now and then one is lost.
  fc
    .array(
      fc.record({
        partition,
        length: fc.integer({ min: 1, max: 4 }),
        back: fc.nat(6),
        waits: fc.nat(7),
        lost: fc.nat(9),
      }),
      {
        maxLength: 30,
      },
    )
    .map((steps) => {
      const ends = Array.from({ length: PARTITIONS }, () => [0]);
      return steps.flatMap(({ partition: at, length, back, waits, lost }) => {
        const edges = ends[at] ?? [];
        const first = edges.at(back === 1 ? -Math.min(3, edges.length) : -1) ?? 0;
        if (first + length > OFFSETS) return [];
        edges.push(first + length);
        return lost === 1 ? [] : [{ partition: at, first, end: first + length, rolledUp: waits !== 1 }];
      });
    }),
);
const barrier = fc.array(fc.bigInt(0n, BigInt(OFFSETS)), { minLength: PARTITIONS, maxLength: PARTITIONS });

type Walked = { stored: bigint; end: bigint; gaps: { at: bigint; next: bigint }[] };

/** The plain way. */
function walk(all: readonly Block[], at: number, from: bigint): Walked {
  const walked: Walked = { stored: from, end: from, gaps: [] };
  const ranges = all.filter(({ partition: one }) => one === at).toSorted((a, b) => a.first - b.first);
  for (const { first, end } of ranges) {
    if (BigInt(first) > walked.end) walked.gaps.push({ at: walked.end, next: BigInt(first) });
    if (BigInt(end) > walked.end) walked.end = BigInt(end);
  }
  walked.stored = walked.gaps[0]?.at ?? walked.end;
  return walked;
}

function cover(all: readonly Block[], upTo: readonly bigint[], from: readonly bigint[]): Coverage {
  const walks = upTo.map((_, at) => walk(all, at, from[at] ?? 0n));
  for (const [at, { gaps }] of walks.entries()) {
    const gap = gaps.find(({ next }) => next < (upTo[at] ?? 0n));
    if (gap !== undefined) return { state: 'gap', partition: at, ...gap };
  }
  for (const [at, { stored }] of walks.entries()) {
    const end = upTo[at] ?? 0n;
    if (stored < end) return { state: 'behind', partition: at, stored, barrier: end };
  }
  const waiting = all.filter(({ partition: at, first, rolledUp }) => !rolledUp && BigInt(first) < (upTo[at] ?? 0n));
  return waiting.length === 0 ? { state: 'complete' } : { state: 'to_roll_up', blocks: waiting.length };
}

/** Of the offsets before `upTo` that any block holds, those that count. */
function countAccepted(all: readonly Block[], upTo: readonly bigint[]): bigint {
  const held = Array.from({ length: PARTITIONS * OFFSETS }, (_, n) => {
    const [at, offset] = [n % PARTITIONS, Math.floor(n / PARTITIONS)];
    const isHeld = all.some((one) => one.partition === at && one.first <= offset && offset < one.end);
    return isHeld && offset < (upTo[at] ?? 0n) && !isRejected(at, offset);
  });
  return BigInt(held.filter(Boolean).length);
}

type Asked = { readonly topic: string; readonly upTo: readonly bigint[]; readonly from: readonly bigint[] };

async function expectAsWalked(all: readonly Block[], { topic, upTo, from }: Asked): Promise<void> {
  const log = await fetchStoredLog({ db: bench.db, topic }, { from, barrier: upTo });
  expect(computeCoverage(log, upTo)).toEqual(cover(all, upTo, from));
  const known = await fetchStoredLog({ db: bench.db, topic });
  for (const [at, { stored, end, gaps }] of known.entries()) expect({ stored, end, gaps }).toEqual(walk(all, at, 0n));
  expect(await fetchAccepted({ ...bench.deps, topic }, upTo)).toBe(countAccepted(all, upTo));
}

async function fetchRows(topic: string) {
  return bench.db.selectFrom('ingest_blocks').selectAll().where('topic', '=', topic).orderBy('seq').execute();
}

test('says what a walk over the blocks says, before and after old ones are joined', async () => {
  await fc.assert(
    fc.asyncProperty(blocks, barrier, barrier, fc.integer({ min: 2, max: 6 }), async (all, upTo, from, rowsMax) => {
      const topic = await record(all);
      await expectAsWalked(all, { topic, upTo, from });
      const count = (await fetchRows(topic)).length;
      const fewer = await joinBlocks({ db: bench.db, topic }, { aloneMs: 0, rowsMax });
      const rows = await fetchRows(topic);
      expect(rows.length).toBe(count - fewer);
      for (const row of rows) expect(BigInt(row.messages)).toBe(BigInt(row.end_offset) - BigInt(row.first_offset));
      await expectAsWalked(all, { topic, upTo, from });
    }),
    { numRuns: 150 },
  );
}, 180_000);

test('brings a row per partition from 300,000 blocks, and joins them to a few', async () => {
  const { count, db } = countingRows();
  const topic = 'large';
  // Two redelivered blocks in a thousand, one missing in 40,000, the last hundred not yet rolled up.
  await sql`
    INSERT INTO ingest_blocks (block, topic, partition, first_offset, end_offset, messages, accepted, rejected, rolled_up_run, stored_at)
    SELECT ${topic} || n, ${topic}, n % 8, (n / 8 - back) * 100, (n / 8 + 1) * 100, (1 + back) * 100, (1 + back) * 100, 0,
      CASE WHEN n < 299900 THEN n END, now() - interval '1 day' + n * interval '1 millisecond'
    FROM (SELECT n, CASE WHEN n % 1000 IN (500, 501) THEN 1 ELSE 0 END AS back FROM generate_series(0, 299999) AS n) AS numbers
    WHERE n % 40000 <> 17`.execute(db);
  const deps = { ...bench.deps, db, topic };
  const ends = Array.from({ length: 8 }, () => 3_750_000n);
  const look = async () => {
    count.rows = 0;
    await expect(checkRolledUp(deps, ends)).rejects.toThrow('nothing stored from 200 to 300');
    const { sights } = await lookAtBlocks(deps, { nowMs: Date.UTC(2026, 11, 3) });
    expect(sights.filter(({ kind }) => kind === 'BLOCK_GAP')).toHaveLength(8);
    const log = await fetchStoredLog(deps, { barrier: ends });
    expect(log.map(({ end }) => end)).toEqual(ends);
    expect(log.reduce((sum, { waiting }) => sum + waiting, 0)).toBe(100);
    await fetchAccepted(deps, ends);
    return count.rows;
  };
  const before = await look();
  // A row per partition each time, and of the record of what was accepted the redelivered ends, which are asked for singly.
  expect(before).toBeLessThan(700);
  await joinBlocks({ db: bench.db, topic });
  await joinBlocks({ db: bench.db, topic });
  const rows = await fetchRows(topic);
  expect(rows.length).toBeLessThan(150);
  expect(await look()).toBeLessThan(100);
}, 180_000);

/** A view of the database that counts what comes back. */
function countingRows() {
  const count = { rows: 0 };
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      count.rows += result.rows.length;
      return Promise.resolve(result);
    },
  };
  return { count, db: bench.db.withPlugin(plugin) };
}

describe('joined blocks', () => {
  /** Of one partition, one after the other. */
  const inRow = (count: number, from = 0, rolledUp = true) =>
    Array.from({ length: count }, (_, n) => ({
      partition: 0,
      first: (from + n) * 2,
      end: (from + n + 1) * 2,
      rolledUp,
    }));
  const join = async (topic: string) => joinBlocks({ db: bench.db, topic }, { aloneMs: 0 });
  const rangesOf = async (topic: string) =>
    (await fetchRows(topic)).map(({ first_offset: first, end_offset: end, blocks: of }) => `${first}-${end} of ${of}`);

  test('are those that are older than an hour and rolled up, but never the newest', async () => {
    const topic = await record([...inRow(4), ...inRow(1, 4, false), ...inRow(5, 5)]);
    await sql`UPDATE ingest_blocks SET stored_at = now() WHERE topic = ${topic} AND first_offset = 12`.execute(
      bench.db,
    );
    await sql`UPDATE ingest_blocks SET stored_at = now() - interval '59 minutes' WHERE topic = ${topic} AND first_offset >= 14`.execute(
      bench.db,
    );
    expect(await joinBlocks({ db: bench.db, topic })).toBe(3);
    expect(await rangesOf(topic)).toEqual([
      '0-8 of 4',
      ...['8-10', '10-12', '12-14', '14-16', '16-18', '18-20'].map((one) => `${one} of 1`),
    ]);
    await join(topic);
    expect(await rangesOf(topic)).toEqual(['0-8 of 4', '8-10 of 1', '10-12 of 1', '12-14 of 1', '14-20 of 3']);
  });

  test('do not go beyond a barrier that was taken, nor hide a block that counts wrongly', async () => {
    const topic = await record(inRow(10));
    await bench.db
      .insertInto('periods')
      .values({
        key: '2026-10',
        state: 'CLOSING',
        topic,
        barrier: JSON.stringify(['6']),
        barrier_at: new Date(),
        catalogue: JSON.stringify({}),
      })
      .execute();
    await sql`UPDATE ingest_blocks SET messages = 1, accepted = 1, rejected = 0 WHERE topic = ${topic} AND first_offset = 10`.execute(
      bench.db,
    );
    await join(topic);
    await bench.db.deleteFrom('periods').execute();
    expect(await rangesOf(topic)).toEqual(['0-6 of 3', '6-10 of 2', '10-12 of 1', '12-18 of 3', '18-20 of 1']);
    const { sights } = await lookAtBlocks({ ...bench.deps, topic }, { nowMs: Date.UTC(2026, 11, 3) });
    expect(sights).toMatchObject([{ kind: 'BLOCK_COUNT', evidence: { from: '10', to: '12', messages: 1 } }]);
  });

  test('leave alone what is read again for a restoration, which is found done all the same', async () => {
    const topic = await record(inRow(4));
    const rows = await fetchRows(topic);
    await bench.db
      .insertInto('part_restorations')
      .values({
        topic,
        parts: JSON.stringify([]),
        from_offsets: JSON.stringify(['2']),
        to_offsets: JSON.stringify(['8']),
        since_seq: rows.at(-1)?.seq ?? '0',
        restored_at: null,
      })
      .execute();
    const again = inRow(3, 1).map((one, n) => ({ ...one, topic, n }));
    for (const { first, end, n } of again) {
      await sql`INSERT INTO ingest_blocks (block, topic, partition, first_offset, end_offset, messages, accepted, rejected, rolled_up_run, stored_at)
        VALUES (${`${topic}-again-${n}`}, ${topic}, 0, ${first}, ${end}, 2, 2, 0, 9, now() - interval '2 hours')`.execute(
        bench.db,
      );
      await join(topic);
      const restoration = await fetchRestoration({ db: bench.db, topic });
      if (n < 2) expect(restoration).toMatchObject({ state: 'behind', stored: BigInt(end) });
      else expect(restoration).toBeUndefined();
    }
    expect(await rangesOf(topic)).toContain('0-8 of 4');
    await join(topic);
    // The newest is still alone.
    expect(await rangesOf(topic)).toEqual(['0-8 of 4', '6-8 of 1']);
  });

  test('leave the stores comparable: the newest block still has its marks', async () => {
    const at = '2026-10-03T10:00:00Z';
    for (let n = 0; n < 4; n += 1) await bench.store([{ id: `e-${n}`, at, offset: n }]);
    await bench.rollUp();
    expect(await join(bench.deps.topic)).toBe(2);
    const view = createPostgres<FencedTables>(bench.databases.postgresUrl, 1);
    await checkStoresAgree({ ...bench.deps, db: view });
    await sql`UPDATE ingest_blocks SET block = 'unheard of' WHERE topic = 'usage' AND first_offset = 3`.execute(view);
    await expect(checkStoresAgree({ ...bench.deps, db: view })).rejects.toMatchObject({ code: 'STORES_DIVERGED' });
    await view.destroy();
    await checkRolledUp(bench.deps, bench.ends);
  });

  test.each([
    ['before it has changed anything', /delete from "ingest_blocks"/, 'request', 0],
    ['with old rows gone, the joined one not written', /update "ingest_blocks"/, 'request', 0],
    ['with all written, not committed', /commit/i, 'request', 0],
    ['with all committed, before the answer', /commit/i, 'reply', 6],
  ] as const)('a job that dies %s changes no answer', async (_, matching, at, fewer) => {
    const topic = await record(inRow(8));
    const proxy = await startPostgresProxy(bench.databases.postgresUrl);
    const db = createPostgres<AggregateTables>(proxy.url, 1);
    const point = proxy.catchNext({ matching, at });
    const dying = joinBlocks({ db, topic }, { aloneMs: 0 });
    dying.catch(() => undefined);
    await point.reached;
    point.cut();
    await expect(dying).rejects.toMatchObject({ kind: 'unavailable' });
    expect(await fetchRows(topic)).toHaveLength(8 - fewer);
    await expectAsWalked(inRow(8), { topic, upTo: [16n], from: [] });
    await untilJoined(topic, ['0-14 of 7', '14-16 of 1']);
    await db.destroy();
    await proxy.close();
  });

  test('come with every run of the integrity job', async () => {
    const topic = await record(inRow(6));
    const mark = `${topic}-5\tpay.acme\t2026-10-03 10:00:00\n`;
    await bench.databases.clickhouse.insertTsv('usage_dirty_v1', ['block', 'namespace', 'minute'], mark);
    const { TRUEUP_KAFKA_BROKERS: brokers = '' } = process.env;
    const kafka = createKafka({ brokers, clientId: 'test-joins', log: createLog('test', 'silent') });
    await retryUnavailable(async () => kafka.createTopic(topic, { partitions: PARTITIONS }));
    await kafka.close();
    const clock = createPostgres<BusinessClockTables>(bench.databases.postgresUrl, 1);
    await advanceClock(clock, Date.UTC(2026, 11, 3));
    await clock.destroy();
    const child = spawn(process.execPath, [INTEGRITY], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        ...bench.databases.variables,
        TRUEUP_TOPIC: topic,
        TRUEUP_LOG_LEVEL: process.env['TRUEUP_TEST_LOG'] ?? 'silent',
      },
    });
    await expect
      .poll(async () => rangesOf(topic), { timeout: 50_000, interval: 200 })
      .toEqual(['0-10 of 5', '10-12 of 1']);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  /** The server holds the rows of a connection that was cut until it notices. */
  async function untilJoined(topic: string, ranges: readonly string[]): Promise<void> {
    await expect
      .poll(
        async () => {
          await join(topic);
          return rangesOf(topic);
        },
        { timeout: 30_000, interval: 100 },
      )
      .toEqual(ranges);
  }

  test('are right whoever joins at once, while sinks go on', async () => {
    const before = inRow(2_000);
    const topic = await record(before);
    const stop = new AbortController();
    const joining = [1, 2, 3].map(async () => {
      while (!stop.signal.aborted) await joinBlocks({ db: bench.db, topic }, { aloneMs: 0, rowsMax: 50 });
    });
    for (let n = 2_000; n < 2_200; n += 1) {
      // Now and then the sink begins again at the end before.
      const first = n % 20 === 0 ? (n - 1) * 2 : n * 2;
      await sql`INSERT INTO ingest_blocks (block, topic, partition, first_offset, end_offset, messages, accepted, rejected, rolled_up_run)
        VALUES (${`${topic}-${n}`}, ${topic}, 0, ${first}, ${(n + 1) * 2}, ${(n + 1) * 2 - first}, ${(n + 1) * 2 - first}, 0, 9)`.execute(
        bench.db,
      );
      if (n % 50 === 0) await delay(20);
      const [log] = await fetchStoredLog({ db: bench.db, topic });
      expect(log).toMatchObject({ stored: BigInt((n + 1) * 2), gaps: [] });
    }
    stop.abort();
    await Promise.all(joining);
    await join(topic);
    const rows = await fetchRows(topic);
    expect(rows.length).toBeLessThan(25);
    for (const row of rows) expect(BigInt(row.messages)).toBe(BigInt(row.end_offset) - BigInt(row.first_offset));
  });
});
