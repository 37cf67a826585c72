// kill -9 of the rollup worker between any two of its steps, held there by a proxy in front of ClickHouse or Postgres.
// Whoever comes next must bring minutes, hours and days to what the truth says (promise I3).

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { parsePeriod } from '../domain/period.ts';
import type { Failpoint } from '../fixtures/torture/failpoint.ts';
import { startHttpProxy, type HttpProxy } from '../fixtures/torture/http-proxy.ts';
import { startPostgresProxy, type PostgresProxy } from '../fixtures/torture/postgres-proxy.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';

const MAIN = new URL('./main.ts', import.meta.url).pathname;
const OCTOBER = parsePeriod('2026-10');
const WITHIN_MS = 60_000;
const MINUTES = /INSERT INTO usage_minute_v1/;

let bench: UsageBench;
let clickhouse: HttpProxy;
let postgres: PostgresProxy;
let children: ChildProcess[];

async function open(label: string): Promise<void> {
  children = [];
  bench = await createUsageBench(label, 1);
  clickhouse = await startHttpProxy(bench.databases.clickhouseUrl);
  postgres = await startPostgresProxy(bench.databases.postgresUrl);
}

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all([clickhouse.close(), postgres.close(), bench.close()]);
});

function startProcess(shards = 1): ChildProcess {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      TRUEUP_CLICKHOUSE_URL: clickhouse.url,
      TRUEUP_POSTGRES_URL: postgres.url,
      TRUEUP_CLICKHOUSE_DATABASE: bench.databases.name,
      TRUEUP_ROLLUP_SHARDS: String(shards),
      TRUEUP_LOG_LEVEL: process.env['TRUEUP_TEST_LOG'] ?? 'silent',
    },
  });
  children.push(child);
  return child;
}

/** Fails when the process ends before it gets there. */
async function reachedBy(point: Failpoint, child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the rollup worker ended with code ${String(code)} before its failpoint`);
  });
  ended.catch(() => undefined);
  await Promise.race([point.reached, ended]);
}

const copies = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => ({
    id: `e-${from + n}`,
    namespace: `ns-${(from + n) % 7}.acme`,
    at: new Date(Date.UTC(2026, 9, 3, 10) + (from + n) * 61_000).toISOString(),
    offset: from + n,
    quantity: '3',
  }));

async function countPending(): Promise<number> {
  const rows = await bench.db.selectFrom('ingest_blocks').select('block').where('rolled_up_run', 'is', null).execute();
  return rows.length;
}

/** Every grain of October holds `events` events of three actions each, and no window differs from raw. */
async function expectRolledUp(events: number): Promise<void> {
  await eventually(WITHIN_MS, async () => ((await countPending()) === 0 ? true : undefined));
  expect(await bench.usage.fetchRollupMismatches(OCTOBER)).toEqual([]);
  for (const table of ['usage_minute_v1', 'usage_hour_v1', 'usage_day_v1']) {
    const [row] = await bench.databases.clickhouse.query<Record<string, string>>(
      `SELECT toString(sum(quantity)) AS quantity, toString(sum(events)) AS events FROM ${table} FINAL`,
    );
    expect(row, table).toEqual({ quantity: String(30 * events), events: String(events) });
  }
}

type Point = { readonly dies: string; readonly set: () => Failpoint };

const POINTS: readonly Point[] = [
  {
    dies: 'after the engine wrote its minutes, before the answer',
    set: () => clickhouse.catchNext({ matching: MINUTES, at: 'reply' }),
  },
  {
    dies: 'with minutes written, hours not',
    set: () => clickhouse.catchNext({ matching: /INSERT INTO usage_hour_v1/, at: 'request' }),
  },
  {
    dies: 'with hours written, days not',
    set: () => clickhouse.catchNext({ matching: /INSERT INTO usage_day_v1/, at: 'request' }),
  },
  {
    dies: 'with all grains written, its blocks not marked',
    set: () => postgres.catchNext({ matching: /update "ingest_blocks"/, at: 'request' }),
  },
];

describe('a rollup worker that is killed', () => {
  test.each(POINTS)(
    '$dies leaves nothing that its successor does not put right',
    async ({ set }) => {
      await open('rollup_kill');
      await bench.store(copies(0, 100));
      const point = set();
      const first = startProcess();
      await reachedBy(point, first);
      first.kill('SIGKILL');
      await once(first, 'exit');
      point.cut();
      // What arrives meanwhile touches windows that the dead worker has half written.
      await bench.store([...copies(100, 50), ...copies(0, 10)].map((copy, n) => ({ ...copy, offset: 100 + n })));
      expect(await countPending()).toBe(2);
      startProcess();
      await expectRolledUp(150);
    },
    120_000,
  );
});

test('a rollup worker that slept while another went past it overwrites nothing with what it read before', async () => {
  await open('rollup_zombie');
  await bench.store(copies(0, 100));
  const asleep = clickhouse.catchNext({ matching: MINUTES, at: 'reply' });
  const zombie = startProcess();
  await reachedBy(asleep, zombie);
  await bench.store(copies(100, 60));
  // Another worker takes both blocks, to the end.
  await bench.rollUp();
  await expectRolledUp(160);
  const marking = postgres.catchNext({ matching: /update "ingest_blocks"/, at: 'reply' });
  asleep.release();
  await reachedBy(marking, zombie);
  marking.release();
  await expectRolledUp(160);
}, 120_000);

test('of two workers that share the namespaces one is killed: the other takes over its share', async () => {
  await open('rollup_shards');
  const ownersOf = async () => {
    const rows = await bench.db.selectFrom('rollup_shards').select('owner').where('owner', 'is not', null).execute();
    return new Set(rows.map(({ owner }) => owner));
  };
  const [first, second] = [startProcess(2), startProcess(2)];
  await eventually(WITHIN_MS, async () => ((await ownersOf()).size === 2 ? true : undefined));
  await bench.store(copies(0, 60));
  await expectRolledUp(60);
  const point = clickhouse.catchNext({ matching: MINUTES, at: 'request' });
  await bench.store(copies(60, 60));
  // Whichever of them is held there: the first may be it, or be idle when it dies.
  await point.reached;
  first.kill('SIGKILL');
  await once(first, 'exit');
  point.release();
  await expectRolledUp(120);
  expect((await ownersOf()).size).toBe(1);
  expect(second.exitCode).toBeNull();
}, 120_000);
