// A release beside the one before it: the schema has grown by what only the newer one knows. The files that grow it exist in
// this test alone.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sql } from 'kysely';
import { fetchRollupMismatches } from '../aggregate/close.ts';
import { rollUpAll } from '../aggregate/testing/roll-up.ts';
import type { AggregateTables } from '../aggregate/tables.ts';
import { EVENT_COLUMNS } from '../domain/contracts/tables.ts';
import { parsePeriod } from '../domain/period.ts';
import { createIngestBench, usageRecord, type IngestBench } from '../ingest/testing/bench.ts';
import { checkSchema, migrate, type MigrateOptions } from './migrate.ts';
import { createPostgres, type Postgres } from './postgres.ts';
import { readSchemaFiles, type SchemaFile } from './schema-files.ts';

const OCTOBER = parsePeriod('2026-10');
const AT_MS = Date.UTC(2026, 9, 3, 12);

const GROWN: readonly SchemaFile[] = [
  {
    name: 'ingest/901_region.clickhouse.sql',
    database: 'clickhouse',
    phase: 'expand',
    text: "ALTER TABLE usage_events_v1 ADD COLUMN IF NOT EXISTS region LowCardinality(String) DEFAULT 'none';",
  },
  {
    name: 'ingest/902_lane.postgres.sql',
    database: 'postgres',
    phase: 'expand',
    text: 'ALTER TABLE ingest_blocks ADD COLUMN lane integer NOT NULL DEFAULT 0, ADD COLUMN host text;',
  },
];

let bench: IngestBench;
let db: Postgres<AggregateTables>;
let schema: MigrateOptions;

beforeEach(async () => {
  bench = await createIngestBench('rolling', 2);
  const { postgresUrl, clickhouseUrl, name } = bench.databases;
  db = createPostgres(postgresUrl, 2);
  schema = { postgresUrl, clickhouseUrl, clickhouseDatabase: name };
});
afterEach(async () => {
  await db.destroy();
  await bench.close();
});

async function grow(): Promise<void> {
  await migrate({ ...schema, files: [...readSchemaFiles(), ...GROWN] });
}

async function send(from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  await bench.send(numbers.map((n) => usageRecord(n, { atMs: AT_MS + n * 1_000 })));
  await bench.untilCaughtUp();
}

/** Events by what the newer release's column says, and what the hours say in all. */
async function fetchCounts() {
  const deps = { clickhouse: bench.databases.clickhouse, db };
  await rollUpAll(deps);
  const mismatches = await fetchRollupMismatches({ ...deps, topic: bench.topic, fetchEndOffsets: noLog }, OCTOBER);
  expect(mismatches).toEqual([]);
  const { clickhouse } = deps;
  const regions = await clickhouse.query<{ region: string; events: string }>(
    'SELECT region, count() AS events FROM usage_events_v1 FINAL GROUP BY region ORDER BY region',
  );
  const hours = await clickhouse.query<{ events: string }>('SELECT sum(events) AS events FROM usage_hour_v1 FINAL');
  return { regions: regions.map((row) => [row.region, row.events]), hours: hours[0]?.events };
}

async function noLog(): Promise<bigint[]> {
  return Promise.resolve([]);
}

/** As the newer release's sink would: columns of its own filled, in truth and in the record of the block. */
async function writeAsNewer(): Promise<void> {
  const { clickhouse } = bench.databases;
  const row = [
    'ns1.acme',
    'query',
    '2026-10-03 12:00:01.000',
    '/cell/1',
    'newer',
    '1',
    '',
    0,
    0,
    900,
    '2026-10-03 12:00:02',
  ];
  await clickhouse.insertTsv('usage_events_v1', [...EVENT_COLUMNS, 'region'], `${[...row, 'eu'].join('\t')}\n`);
  await clickhouse.insertTsv(
    'usage_dirty_v1',
    ['block', 'namespace', 'minute'],
    'newer\tns1.acme\t2026-10-03 12:00:00\n',
  );
  await sql`INSERT INTO ingest_blocks
    (block, topic, partition, first_offset, end_offset, messages, accepted, rejected, lane, host)
    VALUES ('newer', ${bench.topic}, 0, 900, 901, 1, 1, 0, 2, 'b')`.execute(db);
}

describe('while a release is rolled out', () => {
  test('the one before writes on through the expand step, and its rollups stay exact', async () => {
    await bench.startSink();
    await send(0, 60);
    await grow();
    await send(60, 120);
    expect(await fetchCounts()).toEqual({ regions: [['none', '120']], hours: '120' });
    const lanes = await sql<{
      lane: number;
      host: string | null;
    }>`SELECT DISTINCT lane, host FROM ingest_blocks`.execute(db);
    expect(lanes.rows).toEqual([{ lane: 0, host: null }]);
  });

  test('the one before counts what the newer one writes beside it', async () => {
    await bench.startSink();
    await grow();
    await send(0, 60);
    await writeAsNewer();
    const both = {
      regions: [
        ['eu', '1'],
        ['none', '60'],
      ],
      hours: '61',
    };
    expect(await fetchCounts()).toEqual(both);
    await send(60, 61);
    expect(await fetchCounts()).toEqual({
      regions: [
        ['eu', '1'],
        ['none', '61'],
      ],
      hours: '62',
    });
  });

  test('going back is starting the release before: it may start on what was only expanded', async () => {
    await grow();
    await checkSchema(schema);
    await bench.startSink();
    await send(0, 10);
    expect(await fetchCounts()).toEqual({ regions: [['none', '10']], hours: '10' });
  });
});
