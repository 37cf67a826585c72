// The table of the contenders without promises: the event's own columns, no replacement, no fsync.

import { Readable } from 'node:stream';
import type { ClickHouse } from '../platform/clickhouse.ts';

export const PLAIN_TABLE = 'plain_events';

export async function createPlainTable(clickhouse: ClickHouse): Promise<void> {
  await dropPlainTable(clickhouse);
  await clickhouse.command(`
    CREATE TABLE ${PLAIN_TABLE} (
      subject String, type LowCardinality(String), time DateTime64(3, 'UTC'), source LowCardinality(String), id String,
      quantity Decimal(38, 12) DEFAULT 1
    ) ENGINE = MergeTree PARTITION BY toYYYYMM(time) ORDER BY (toStartOfHour(time), subject, type)`);
}

export async function dropPlainTable(clickhouse: ClickHouse): Promise<void> {
  await clickhouse.command(`DROP TABLE IF EXISTS ${PLAIN_TABLE} SYNC`);
}

/** Inserts JSON lines as they are. */
export async function insertLines(clickhouse: ClickHouse, lines: Buffer): Promise<number> {
  return insert(clickhouse, `INSERT INTO ${PLAIN_TABLE} FORMAT JSONEachRow`, lines);
}

/** Inserts tab-separated rows: subject, type, epoch ms, source, id, quantity. */
export async function insertTsv(clickhouse: ClickHouse, rows: Buffer): Promise<number> {
  return insert(clickhouse, `INSERT INTO ${PLAIN_TABLE} FORMAT TabSeparated`, rows);
}

async function insert(clickhouse: ClickHouse, query: string, body: Buffer): Promise<number> {
  const result = await clickhouse.client.exec({
    query,
    values: Readable.from([body], { objectMode: false }),
    clickhouse_settings: { input_format_skip_unknown_fields: 1 },
  });
  result.stream.resume();
  return Number(result.summary?.written_rows);
}
