// kill -9 of the sink between any two of its steps. A proxy in front of ClickHouse or Postgres stops the sink at a chosen
// statement, so that it dies exactly there; a successor must then make of it what an undisturbed sink would have made.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Failpoint } from '../fixtures/torture/failpoint.ts';
import { startHttpProxy, type HttpProxy } from '../fixtures/torture/http-proxy.ts';
import { startPostgresProxy, type PostgresProxy } from '../fixtures/torture/postgres-proxy.ts';
import { startStack } from '../stack/stack.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { createIngestBench, usageRecord, type IngestBench } from './testing/bench.ts';

const MAIN = new URL('./main.ts', import.meta.url).pathname;
const OCTOBER_MS = Date.UTC(2026, 9, 31, 12);
const NOVEMBER_MS = Date.UTC(2026, 10, 1, 12);
const TRUTH = /INSERT INTO usage_events_v1/;
const DIRTY = /INSERT INTO usage_dirty_v1/;
const RECORD = /insert into "ingest_blocks"/;
const WITHIN_MS = 60_000;

let bench: IngestBench;
let clickhouse: HttpProxy;
let postgres: PostgresProxy;
let children: ChildProcess[];

async function open(label: string, partitions: number): Promise<void> {
  bench = await createIngestBench(label, partitions);
  clickhouse = await startHttpProxy(bench.databases.clickhouseUrl);
  postgres = await startPostgresProxy(bench.databases.postgresUrl);
}

beforeEach(() => {
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([clickhouse.close(), postgres.close(), bench.close()]);
});

/** `through` the proxies, or straight to the servers. */
function startProcess(through: 'proxies' | 'nothing'): ChildProcess {
  const proxied = { TRUEUP_CLICKHOUSE_URL: clickhouse.url, TRUEUP_POSTGRES_URL: postgres.url };
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ...bench.variables,
      ...(through === 'proxies' ? proxied : {}),
      TRUEUP_LOG_LEVEL: process.env['TRUEUP_TEST_LOG'] ?? 'silent',
    },
  });
  children.push(child);
  return child;
}

const october = Array.from({ length: 300 }, (_, n) => usageRecord(n, { atMs: OCTOBER_MS + n * 1_000 }));
const november = Array.from({ length: 200 }, (_, n) => usageRecord(300 + n, { atMs: NOVEMBER_MS + n * 1_000 }));
/** Arrival after the later month's events, so that both are acceptable in one block. */
const twoMonths = [...october, ...november].map((record) => ({ ...record, timestampMs: NOVEMBER_MS + 3_600_000 }));

/** Stored once, in blocks without gaps, and every stored minute marked for the rollup. */
async function expectWhole(): Promise<void> {
  await bench.untilCaughtUp(WITHIN_MS);
  expect(await bench.fetchTotals()).toEqual({ events: '500', quantity: '500' });
  const [row] = await bench.databases.clickhouse.query<{ unmarked: string }>(
    `SELECT count() AS unmarked FROM (SELECT DISTINCT namespace, toStartOfMinute(time) AS minute FROM usage_events_v1)
     WHERE (namespace, toUnixTimestamp(minute)) NOT IN (SELECT namespace, toUnixTimestamp(minute) FROM usage_dirty_v1)`,
  );
  expect(row?.unmarked).toBe('0');
}

/** Fails when the process ends before it gets there. */
async function reachedBy(point: Failpoint, child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the sink ended with code ${String(code)} before its failpoint`);
  });
  ended.catch(() => undefined);
  await Promise.race([point.reached, ended]);
}

type Point = { readonly dies: string; readonly set: () => Failpoint };

const POINTS: readonly Point[] = [
  {
    dies: 'before its insert has left',
    set: () => clickhouse.catchNext({ matching: TRUTH, at: 'request' }),
  },
  {
    dies: 'after the engine stored its insert, before the answer',
    set: () => clickhouse.catchNext({ matching: TRUTH, at: 'reply' }),
  },
  {
    dies: 'between the two months of a split block',
    set: () => clickhouse.catchNext({ matching: TRUTH, at: 'request', after: 1 }),
  },
  {
    dies: 'with the truth written, the touched minutes not',
    set: () => clickhouse.catchNext({ matching: DIRTY, at: 'request' }),
  },
  {
    dies: 'with the touched minutes written, the block not recorded',
    set: () => postgres.catchNext({ matching: RECORD, at: 'request' }),
  },
  {
    dies: 'with the block recorded, its offset not committed',
    set: () => postgres.catchNext({ matching: RECORD, at: 'reply' }),
  },
];

describe('a sink that is killed', () => {
  test.each(POINTS)(
    '$dies loses nothing and doubles nothing',
    async ({ set }) => {
      await open('kill_point', 1);
      await bench.send(twoMonths);
      const point = set();
      const first = startProcess('proxies');
      await reachedBy(point, first);
      first.kill('SIGKILL');
      await once(first, 'exit');
      point.cut();
      startProcess('proxies');
      await expectWhole();
    },
    120_000,
  );

  test('never, but whose answers are lost after the engine and Postgres have done their work, counts once', async () => {
    await open('lost_replies', 2);
    clickhouse.loseReplies(3, /INSERT INTO/);
    const point = postgres.catchNext({ matching: RECORD, at: 'reply' });
    await bench.send(twoMonths);
    await reachedBy(point, startProcess('proxies'));
    point.cut();
    await expectWhole();
    expect(clickhouse.lost).toBe(3);
  }, 120_000);
});

test('a zombie whose insert arrives after its successor stored the same range changes nothing', async () => {
  await open('zombie', 1);
  await bench.send(twoMonths);
  const inFlight = clickhouse.catchNext({ matching: TRUTH, at: 'request' });
  const zombie = startProcess('proxies');
  await reachedBy(inFlight, zombie);
  zombie.kill('SIGSTOP');
  // Its session ends, the partition goes to the successor, and that one stores everything.
  startProcess('nothing');
  await bench.untilCaughtUp(WITHIN_MS);
  const blocks = (await bench.fetchBlocks()).length;
  inFlight.release();
  zombie.kill('SIGCONT');
  // The zombie writes on to the end of its block, and learns at the commit that the partition is no longer its own.
  await eventually(WITHIN_MS, async () => ((await bench.fetchBlocks()).length > blocks ? true : undefined));
  await expectWhole();
  await bench.send([usageRecord(9_999, { atMs: NOVEMBER_MS })]);
  await bench.untilCaughtUp(WITHIN_MS);
  expect((await bench.fetchTotals()).events).toBe('501');
}, 180_000);

const BALLAST_ROWS = 1_500_000;
/** Makes the merge of October's partition long enough to be hit. */
const BALLAST = `INSERT INTO usage_events_v1 (namespace, type, time, source, id, quantity, kafka_offset, arrived_at)
  SELECT 'ballast.acme', 'query', toDateTime64('2026-10-05 00:00:00', 3, 'UTC') + number % 86400, '/cell/2', toString(number), 1,
    1000000 + number, toDateTime64('2026-10-06 00:00:00', 3, 'UTC') FROM numbers(${BALLAST_ROWS})`;

async function countMerges(): Promise<number> {
  const rows = await bench.databases.clickhouse.query<{ merges: string }>(
    `SELECT count() AS merges FROM system.merges WHERE database = currentDatabase() AND table = 'usage_events_v1'
       AND total_size_bytes_compressed > 1000000`,
  );
  return Number(rows[0]?.merges);
}

test('an engine killed while it merges keeps every event, and the next merge still leaves the first copies', async () => {
  const stack = await startStack({
    name: `merge-${process.pid}`,
    servers: ['clickhouse'],
    ignoreGiven: true,
    log: () => undefined,
  });
  const shared = process.env['TRUEUP_CLICKHOUSE_URL'];
  process.env['TRUEUP_CLICKHOUSE_URL'] = stack.env['TRUEUP_CLICKHOUSE_URL'];
  try {
    await open('merge', 1);
    startProcess('proxies');
    for (let copy = 0; copy < 4; copy += 1) {
      await bench.send(twoMonths);
      await bench.untilCaughtUp(WITHIN_MS);
    }
    await bench.databases.clickhouse.command(BALLAST);
    const merging = bench.databases.clickhouse.command('OPTIMIZE TABLE usage_events_v1 FINAL');
    merging.catch(() => undefined);
    const pid = stack.pid('clickhouse');
    if (pid === undefined) throw new Error('ClickHouse is not running');
    await eventually(WITHIN_MS, async () => ((await countMerges()) > 0 ? true : undefined));
    process.kill(pid, 'SIGKILL');
    // It was the merge that was cut off: an answer would have come first.
    await expect(merging).rejects.toMatchObject({ kind: 'unavailable' });
    await eventually(WITHIN_MS, () => (stack.pid('clickhouse') === pid ? undefined : true));
    await stack.untilReady('clickhouse');
    await bench.databases.clickhouse.command('OPTIMIZE TABLE usage_events_v1 FINAL');
    const [row] = await bench.databases.clickhouse.query<Record<string, string>>(
      `SELECT countIf(namespace != 'ballast.acme') AS events, countIf(namespace = 'ballast.acme') AS ballast,
         countIf(namespace != 'ballast.acme' AND kafka_offset >= 500) AS late FROM usage_events_v1`,
    );
    expect(row).toEqual({ events: '500', ballast: String(BALLAST_ROWS), late: '0' });
  } finally {
    if (shared !== undefined) process.env['TRUEUP_CLICKHOUSE_URL'] = shared;
    for (const child of children) child.kill('SIGKILL');
    await stack.stop();
  }
}, 180_000);
