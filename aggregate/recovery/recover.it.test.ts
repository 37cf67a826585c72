import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sql } from 'kysely';
import { WAITS } from '../../domain/contracts/waits.ts';
import { parsePeriod } from '../../domain/period.ts';
import { sinkGroupOf } from '../../ingest/sink.ts';
import { createIngestBench, usageRecord, type IngestBench } from '../../ingest/testing/bench.ts';
import { migrate } from '../../platform/migrate.ts';
import { createPostgres, type Postgres } from '../../platform/postgres.ts';
import { checkStoresAgree, type FencedTables } from '../../platform/store-fence.ts';
import type { CloseDeps } from '../close.ts';
import { rollUpAll } from '../testing/roll-up.ts';
import type { AggregateTables } from '../tables.ts';
import { createUsage, type Barrier, type ClosedPeriod, type Usage } from '../usage.ts';
import { beginClickHouseRecovery, finishClickHouseRecovery, recoverPostgres } from './recover.ts';

const OCTOBER = parsePeriod('2026-10');
const DUE_MS = OCTOBER.endAtMs + WAITS.graceMs;
const OCTOBER_MS = Date.UTC(2026, 9, 3, 12);
const NOVEMBER_MS = Date.UTC(2026, 10, 2, 12);

let bench: IngestBench;
let db: Postgres<AggregateTables>;
let deps: CloseDeps;
let usage: Usage;

beforeEach(async () => {
  bench = await createIngestBench('recovery', 2);
  db = createPostgres(bench.databases.postgresUrl, 4);
  const { kafka, topic, databases } = bench;
  deps = { clickhouse: databases.clickhouse, db, topic, fetchEndOffsets: async () => kafka.fetchEndOffsets(topic) };
  usage = createUsage(deps);
  await bench.startSink();
});
afterEach(async () => {
  await db.destroy();
  await bench.close();
});

/** So many events within the first minute after `atMs`, stored and rolled up. */
async function use(from: number, to: number, atMs: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  await bench.send(numbers.map((n) => usageRecord(n, { atMs: atMs + (n % 60) * 1_000 })));
  await bench.untilCaughtUp();
  await rollUp();
}

async function rollUp(): Promise<void> {
  await rollUpAll(deps);
}

async function close(): Promise<ClosedPeriod> {
  await usage.takeBarrier(OCTOBER, DUE_MS);
  return usage.closePeriod(OCTOBER, DUE_MS);
}

async function checkFence(): Promise<void> {
  const view = createPostgres<FencedTables>(bench.databases.postgresUrl, 1);
  try {
    await checkStoresAgree({ ...deps, db: view });
  } finally {
    await view.destroy();
  }
}

async function countHours(atMs: number): Promise<string | undefined> {
  const rows = await deps.clickhouse.query<{ events: string }>(
    'SELECT sum(events) AS events FROM usage_hour_v1 FINAL WHERE hour = fromUnixTimestamp64Milli({at:Int64})',
    { at: atMs },
  );
  return rows[0]?.events;
}

const rewind = async (to: Barrier | number) => bench.kafka.rewindGroupSince(sinkGroupOf(bench.topic), bench.topic, to);

describe('a Postgres restored to before a close', () => {
  test('is not worked on, and made whole: the same barrier, every block, and run numbers that win', async () => {
    await use(0, 40, OCTOBER_MS);
    const { rows } = await sql<{ seq: string; run: string }>`
      SELECT max(seq)::text AS seq, (SELECT last_value FROM rollup_runs)::text AS run FROM ingest_blocks`.execute(db);
    await use(40, 80, OCTOBER_MS);
    // Many passes, so that run numbers which began again would not soon be where they were.
    for (let from = 80; from < 100; from += 4) await use(from, from + 4, NOVEMBER_MS);
    const closed = await close();
    // What a restore does to it.
    await bench.stopSink();
    await sql`DELETE FROM ingest_blocks WHERE seq > ${rows[0]?.seq}::bigint`.execute(db);
    await sql`DELETE FROM periods`.execute(db);
    await sql`SELECT setval('rollup_runs', ${rows[0]?.run}::bigint)`.execute(db);

    await expect(checkFence()).rejects.toMatchObject({ code: 'STORES_DIVERGED' });
    const recovered = await recoverPostgres(deps, rewind);
    expect(recovered.adopted).toEqual(['2026-10']);
    await checkFence();
    await bench.startSink();
    // Behind the barrier, in an hour that higher runs have written to.
    await use(100, 130, OCTOBER_MS);
    await use(130, 160, NOVEMBER_MS);
    expect([await countHours(OCTOBER_MS), await countHours(NOVEMBER_MS)]).toEqual(['110', '50']);
    expect(await close()).toEqual(closed);
    expect(closed.events).toBe(80n);
  });

  test('is not worked on though only minutes bear runs that it has forgotten, and then counts on behind them', async () => {
    await use(0, 40, OCTOBER_MS);
    await bench.stopSink();
    // As a worker leaves it that has not come to the hours: the days know nothing of it.
    const { clickhouse } = deps;
    const { rows } = await sql<{ run: string }>`SELECT last_value AS run FROM rollup_runs`.execute(db);
    const run = Number(rows[0]?.run) + 40;
    await clickhouse.command(
      `INSERT INTO usage_minute_v1 (namespace, meter, minute, quantity, events, run)
       SELECT namespace, meter, minute, quantity, events, {run:UInt64} FROM usage_minute_v1 LIMIT 1`,
      { run },
    );
    await expect(checkFence()).rejects.toMatchObject({ code: 'STORES_DIVERGED' });
    await recoverPostgres(deps, rewind);
    await checkFence();
    const { rows: lifted } = await sql<{ run: string }>`SELECT last_value AS run FROM rollup_runs`.execute(db);
    expect(Number(lifted[0]?.run)).toBeGreaterThan(run);
  });

  test('takes back a barrier that nobody has closed at yet, whoever asks for it', async () => {
    await use(0, 20, OCTOBER_MS);
    const barrier = await usage.takeBarrier(OCTOBER, DUE_MS);
    await sql`DELETE FROM periods`.execute(db);
    await expect(checkFence()).rejects.toThrow('Postgres has forgotten the close of 2026-10');
    await use(20, 40, OCTOBER_MS);
    expect(await usage.takeBarrier(OCTOBER, DUE_MS)).toEqual(barrier);
    expect((await usage.closePeriod(OCTOBER, DUE_MS)).events).toBe(20n);
  });
});

describe('a ClickHouse that lost everything', () => {
  test('is not worked on, and built again out of the log, closed totals with the digest on record', async () => {
    await use(0, 60, OCTOBER_MS);
    const closed = await close();
    const totals = await usage.fetchClosedTotals(OCTOBER);
    await bench.stopSink();
    const { name, postgresUrl, clickhouseUrl } = bench.databases;
    await deps.clickhouse.command(`DROP DATABASE ${name} SYNC`);
    await migrate({ postgresUrl, clickhouseUrl, clickhouseDatabase: name });
    await expect(checkFence()).rejects.toThrow('ClickHouse is older');

    const manifests = async () => Promise.resolve();
    await beginClickHouseRecovery(deps, { usage: rewind, manifests }, 0);
    // The stages may start now; what they count is not to be trusted yet.
    await checkFence();
    expect(await usage.isBeingRestored()).toBe(true);
    await expect(finishClickHouseRecovery(deps)).rejects.toMatchObject({ code: 'ROLLUP_BEHIND' });
    await bench.startSink();
    await use(60, 70, NOVEMBER_MS);
    expect(await finishClickHouseRecovery(deps)).toEqual(['2026-10']);
    expect(await usage.isBeingRestored()).toBe(false);
    expect(await usage.fetchClosedTotals(OCTOBER)).toEqual(totals);
    expect(await close()).toEqual(closed);
  });
});
