import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { TupleParam, createClient } from '@clickhouse/client';
import type { ClickHouseClient, ClickHouseClientConfigOptions } from '@clickhouse/client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startEngine } from './running-engine.ts';
import type { RunningEngine } from './running-engine.ts';

let engine: RunningEngine;
let client: ClickHouseClient;

function connect(options: ClickHouseClientConfigOptions = {}): ClickHouseClient {
  return createClient({ url: engine.url, database: 'app', log: { level: 127 }, ...options });
}

async function rows<T>(query: string, settings: Record<string, string | number> = {}): Promise<T[]> {
  const answer = await client.query({ query, format: 'JSONEachRow', clickhouse_settings: settings });
  return answer.json<T>();
}

beforeAll(async () => {
  engine = await startEngine();
  client = connect();
  const admin = connect({ database: 'default' });
  await admin.command({ query: 'CREATE DATABASE IF NOT EXISTS app' });
  await admin.close();
});
afterAll(async () => {
  await client.close();
  await engine.remove();
});
beforeEach(async () => {
  await client.command({ query: 'DROP TABLE IF EXISTS t' });
  await client.command({
    query: 'CREATE TABLE t (id UInt64, text String, amount Decimal(76, 12)) ENGINE = MergeTree ORDER BY id',
    clickhouse_settings: { wait_end_of_query: 1 },
  });
});

describe('statements', () => {
  test('ping answers by path and by query', async () => {
    expect(await client.ping()).toEqual({ success: true });
    expect((await client.ping({ select: true })).success).toBe(true);
  });

  test('every kind of statement of the product runs', async () => {
    await client.insert({ table: 't', values: [{ id: 1, text: 'a', amount: '1' }], format: 'JSONEachRow' });
    await client.command({ query: 'ALTER TABLE t ADD COLUMN extra UInt8 DEFAULT 7' });
    await client.command({
      query: 'ALTER TABLE t UPDATE text = {to:String} WHERE id = 1',
      query_params: { to: "b'" },
      clickhouse_settings: { mutations_sync: '2' },
    });
    await client.command({ query: 'OPTIMIZE TABLE t FINAL', clickhouse_settings: { optimize_throw_if_noop: 0 } });
    await client.command({ query: 'SYSTEM STOP MERGES t' });
    const copied = await client.command({
      query: '-- twice\n/* the same */ INSERT INTO t (id, text) SELECT id + 1, text FROM t;',
    });
    expect(copied.summary?.written_rows).toBe('1');
    expect(await rows('WITH 1 AS one SELECT id, text, extra FROM t WHERE id >= one ORDER BY id LIMIT 1 BY id')).toEqual(
      [
        { id: 1, text: "b'", extra: 7 },
        { id: 2, text: "b'", extra: 7 },
      ],
    );
    expect(await rows('EXISTS TABLE t')).toEqual([{ result: 1 }]);
    expect(await rows("SHOW TABLES LIKE 't'")).toEqual([{ name: 't' }]);
    expect((await rows('DESCRIBE TABLE t')).length).toBe(4);
    expect((await rows('EXPLAIN SELECT 1')).length).toBeGreaterThan(0);
    await client.command({ query: 'TRUNCATE TABLE t' });
    expect(await rows('SELECT count() AS n, sum(amount) AS s FROM t')).toEqual([{ n: 0, s: 0 }]);
  });

  test('settings hold for their request only', async () => {
    const threads = "SELECT getSetting('max_threads') AS n";
    expect(await rows(threads, { max_threads: 3 })).toEqual([{ n: 3 }]);
    await client.command({ query: 'SET max_threads = 5' });
    await client.command({
      query: 'CREATE TABLE IF NOT EXISTS t (id UInt8) ENGINE = Memory',
      clickhouse_settings: { max_threads: 6 },
    });
    const seen = await Promise.all(Array.from({ length: 20 }, async () => rows<{ n: number }>(threads)));
    expect(seen.flat().some((row) => [3, 5, 6].includes(row.n))).toBe(false);
  });

  test('a deduplication token drops its own block and no later one', async () => {
    await client.command({ query: 'ALTER TABLE t MODIFY SETTING non_replicated_deduplication_window = 100' });
    const insert = async (id: number, token?: string): Promise<unknown> =>
      client.insert({
        table: 't',
        values: [{ id }],
        format: 'JSONEachRow',
        clickhouse_settings: token === undefined ? {} : { insert_deduplication_token: token },
      });
    await insert(1, 'token');
    await insert(2, 'token');
    for (let id = 3; id < 13; id += 1) await insert(id);
    expect(await rows('SELECT count() AS n FROM t')).toEqual([{ n: 11 }]);
  });
});

describe('inserts', () => {
  test('objects arrive as sent and are counted', async () => {
    const values = [
      {
        id: '18446744073709551615',
        text: 'it\'s\n\n"é"\t\\ 🦊\0',
        amount: '-1234567890123456789012345678901234567890.123456789012',
      },
      { id: 2, text: '', amount: '0' },
    ];
    const { summary } = await client.insert({ table: 't', values, format: 'JSONEachRow' });
    expect(summary?.written_rows).toBe('2');
    const read = await rows('SELECT id, text, toString(amount) AS amount FROM t ORDER BY id', {
      output_format_json_quote_64bit_integers: 1,
    });
    expect(read).toEqual([
      { id: '2', text: '', amount: '0' },
      { id: '18446744073709551615', text: values[0]?.text, amount: values[0]?.amount },
    ]);
  });

  test.each([
    ['TabSeparated', '1\ta\t1\n2\t\\n;\t2\n'],
    ['TabSeparated', '1\t\t1\n2\tDROP TABLE t\t2\n'],
    ['CSV', '1,"two\n\nlines; DROP TABLE t",1\n2,"a""b",2\n'],
    ['JSONEachRow', '{"id":1,"text":"a","amount":"1"}\n\n{"id":2,"text":"b","amount":2}\n'],
    ['JSONCompactEachRow', '[1,"a","1"]\n[2,"b","2"]'],
  ] as const)('a raw %s stream is one insert, empty lines and all', async (format, text) => {
    const halves = [text.slice(0, 5), text.slice(5)].map((part) => Buffer.from(part));
    const { summary, stream } = await client.exec({
      query: `INSERT INTO t FORMAT ${format}`,
      values: Readable.from(halves, { objectMode: false }),
    });
    stream.resume();
    expect(summary?.written_rows).toBe('2');
    expect(await rows('SELECT count() AS n, sum(id) AS ids FROM t')).toEqual([{ n: 2, ids: 3 }]);
  });

  test('an empty line is a row where the format says so', async () => {
    await client.command({ query: 'CREATE OR REPLACE TABLE lines (line String) ENGINE = Memory' });
    const values = Readable.from(Buffer.from('a\n\nDROP TABLE t\n\n'), { objectMode: false });
    const { summary } = await client.insert({ table: 'lines', values, format: 'TabSeparated' });
    expect(summary?.written_rows).toBe('4');
    expect(await rows('SELECT groupArray(line) AS lines FROM lines')).toEqual([
      { lines: ['a', '', 'DROP TABLE t', ''] },
    ]);
    expect(await rows('EXISTS TABLE t')).toEqual([{ result: 1 }]);
  });

  test('binary formats go in and out', async () => {
    await client.insert({ table: 't', values: [{ id: 1, text: 'ü', amount: '0.5' }], format: 'JSONEachRow' });
    for (const format of ['Parquet', 'RowBinary', 'Native']) {
      const out = await client.exec({ query: `SELECT * FROM t WHERE id = 1 FORMAT ${format}` });
      const values = Readable.from(Buffer.concat(await out.stream.toArray()), { objectMode: false });
      const back = await client.exec({ query: `INSERT INTO t FORMAT ${format}`, values });
      back.stream.resume();
      expect(back.summary?.written_rows).toBe('1');
      await client.command({ query: 'ALTER TABLE t DELETE WHERE id != 1 SETTINGS mutations_sync = 2' });
      await client.command({ query: 'OPTIMIZE TABLE t FINAL DEDUPLICATE' });
    }
  });

  test('three million rows below the limit are one block, and one bad row keeps all of them out', async () => {
    await client.command({ query: 'SYSTEM STOP MERGES t' });
    const lines = Array.from({ length: 3_000_000 }, (_, i) => `${i}\n`).join('');
    const insert = async (text: string): Promise<unknown> =>
      client.insert({
        table: 't',
        columns: ['id'],
        values: Readable.from(Buffer.from(text), { objectMode: false }),
        format: 'TabSeparated',
      });
    await expect(insert(`${lines}x\n`)).rejects.toMatchObject({ code: '27' });
    expect(await rows('SELECT count() AS n FROM t')).toEqual([{ n: 0 }]);
    await insert(lines);
    expect(
      await rows("SELECT count() AS parts, sum(rows) AS rows FROM system.parts WHERE table = 't' AND active"),
    ).toEqual([{ parts: 1, rows: 3_000_000 }]);
  });

  test.each(['gzip', 'zstd', 'br'] as const)('%s works both ways', async (codec) => {
    const packed = connect({ compression: { request: { codec }, response: { codec } } });
    const text = 'long '.repeat(1000);
    const { summary } = await packed.insert({ table: 't', values: [{ id: 1, text }], format: 'JSONEachRow' });
    expect(summary?.written_rows).toBe('1');
    const small = await packed.query({ query: 'SELECT text FROM t', format: 'JSONEachRow' });
    expect(small.response_headers['content-encoding']).toBe(codec);
    expect(await small.json()).toEqual([{ text }]);
    const large = await packed.query({ query: 'SELECT number FROM numbers(500000)', format: 'JSONEachRow' });
    expect((await large.json()).length).toBe(500_000);
    await packed.close();
  });
});

describe('parameters', () => {
  const hard = ["quote ' and \\", 'line\nend\ttab\r', 'ünï🦊', '{a:UInt8}', "'; DROP TABLE t; --", '', '\\N'];

  test.each(hard)('the string %j comes back as sent', async (text) => {
    const answer = await client.query({
      query:
        'SELECT {s:String} AS s, {a:Array(String)} AS a, {t:Tuple(UInt8, String)}.2 AS t, {n:Nullable(String)} AS n',
      query_params: {
        s: text,
        a: [text, 'x'],
        t: new TupleParam([1, text]),
        n: null,
      },
      format: 'JSONEachRow',
    });
    expect(await answer.json()).toEqual([{ s: text, a: [text, 'x'], t: text, n: null }]);
  });

  test('numbers, dates and names keep their types', async () => {
    const answer = await client.query({
      query: `SELECT {big:UInt64} AS big, {huge:UInt128} AS huge, {money:Decimal(76, 12)} AS money, {at:DateTime64(3, 'UTC')} AS at,
        {flags:Array(Bool)} AS flags, {m:Map(String, UInt64)} AS m, {none:Nullable(UInt8)} AS none, {column:Identifier} AS name
        FROM numbers(3) LIMIT {n:UInt8}`,
      query_params: {
        big: '9223372036854775807',
        huge: '340282366920938463463374607431768211455',
        money: '1234567890123456789012345678901234567890.123456789012',
        at: new Date('2026-10-03T12:34:56.789Z'),
        flags: [true, false],
        m: { a: 1, "b'": 2 },
        none: null,
        column: 'number',
        n: 1,
      },
      format: 'JSONEachRow',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 1, output_format_json_quote_decimals: 1 },
    });
    expect(await answer.json()).toEqual([
      {
        big: '9223372036854775807',
        huge: '340282366920938463463374607431768211455',
        money: '1234567890123456789012345678901234567890.123456789012',
        at: '2026-10-03 12:34:56.789',
        flags: [true, false],
        m: { a: '1', "b'": '2' },
        none: null,
        name: '0',
      },
    ]);
  });

  test('long parameters may travel as a form', async () => {
    const ids = Array.from({ length: 5000 }, (_, i) => i);
    const answer = await client.query({
      query: 'SELECT count() AS n FROM numbers(10000) WHERE number IN {ids:Array(UInt64)}',
      query_params: { ids },
      format: 'JSONEachRow',
      use_multipart_params: true,
    });
    expect(await answer.json()).toEqual([{ n: 5000 }]);
  });
});

describe('answers', () => {
  test('the JSON family, with and without quoted integers', async () => {
    const query = 'SELECT toInt64(9223372036854775807) AS n, reinterpretAsUInt128(sipHash128(1)) > 0 AS h';
    const quoted = await client.query({
      query,
      format: 'JSON',
      clickhouse_settings: { output_format_json_quote_64bit_integers: 1 },
    });
    expect((await quoted.json<{ n: string }>()).data).toEqual([{ n: '9223372036854775807', h: 1 }]);
    const raw = await client.query({ query, format: 'JSONCompactEachRowWithNamesAndTypes' });
    expect(await raw.text()).toBe('["n", "h"]\n["Int64", "UInt8"]\n[9223372036854775807, 1]\n');
    for (const format of ['JSONCompact', 'JSONStrings', 'JSONColumnsWithMetadata', 'JSONObjectEachRow'] as const) {
      expect(await (await client.query({ query, format })).json()).toBeTypeOf('object');
    }
  });

  test('a million rows stream through in order and complete', async () => {
    const answer = await client.query({
      query: 'SELECT number, toString(number) AS s FROM numbers(1000000)',
      format: 'JSONCompactEachRow',
    });
    let seen = 0;
    const digest = createHash('sha256');
    for await (const batch of answer.stream()) {
      for (const row of batch) digest.update(row.text);
      seen += batch.length;
    }
    expect(seen).toBe(1_000_000);
    const expected = createHash('sha256');
    for (let i = 0; i < 1_000_000; i += 1) expected.update(`[${i}, "${i}"]`);
    expect(digest.digest('hex')).toBe(expected.digest('hex'));
  });

  test('headers name the query, the format and the engine', async () => {
    const answer = await client.query({ query: 'SELECT 1', format: 'CSV', query_id: 'my-query' });
    expect(answer.query_id).toBe('my-query');
    expect(answer.response_headers).toMatchObject({
      'x-clickhouse-query-id': 'my-query',
      'x-clickhouse-format': 'CSV',
      'x-clickhouse-timezone': 'UTC',
    });
    await answer.text();
    expect(await rows("SELECT timezone() AS zone, toUnixTimestamp('1970-01-02 00:00:00') AS s")).toEqual([
      { zone: 'UTC', s: 86_400 },
    ]);
  });

  test('rows read are told where the engine tells them', async () => {
    const answer = await client.query({ query: 'SELECT sum(number) FROM numbers(12345)', format: 'JSON' });
    await answer.text();
    expect(JSON.parse(String(answer.response_headers['x-clickhouse-summary']))).toMatchObject({
      read_rows: '12345',
      result_rows: '1',
    });
  });
});

describe('failures', () => {
  test.each([
    ['SELECT * FROM nosuch', '60', 'UNKNOWN_TABLE'],
    ['SELECT nosuch', '47', 'UNKNOWN_IDENTIFIER'],
    ['selekt 1', '62', 'SYNTAX_ERROR'],
    ["SELECT throwIf(1, 'mine')", '395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO'],
    ['SELECT {x:UInt8}', '456', 'UNKNOWN_QUERY_PARAMETER'],
    [
      'SELECT sleepEachRow(1) FROM numbers(9) SETTINGS max_execution_time = 0.1, max_block_size = 1',
      '159',
      'TIMEOUT_EXCEEDED',
    ],
  ])('%s fails with %s', async (query, code, type) => {
    await expect(client.query({ query, format: 'JSONEachRow' })).rejects.toMatchObject({ code, type });
  });

  test('an unknown setting, a bad row and a missing table fail an insert', async () => {
    const insert = async (table: string, values: unknown[], settings = {}): Promise<unknown> =>
      client.insert({ table, values, format: 'JSONEachRow', clickhouse_settings: settings });
    await expect(insert('t', [{ id: 1 }], { nosuch_setting: 1 })).rejects.toMatchObject({ code: '115' });
    await expect(insert('t', [{ id: 1 }, { id: 'x' }])).rejects.toMatchObject({
      type: 'CANNOT_PARSE_INPUT_ASSERTION_FAILED',
    });
    await expect(insert('nosuch', [{ id: 1 }])).rejects.toMatchObject({ code: '60' });
    expect(await rows('SELECT count() AS n FROM t')).toEqual([{ n: 0 }]);
  });

  test('an error after the first rows reaches the reader as that error', async () => {
    const late = "SELECT number, throwIf(number = 900000, 'too late') FROM numbers(1000000)";
    const streamed = await client.query({ query: late, format: 'JSONEachRow' });
    const reading = (async () => {
      for await (const _ of streamed.stream()) void _;
    })();
    await expect(reading).rejects.toMatchObject({ code: '395' });
    const plain = await client.query({ query: late, format: 'CSV' });
    await expect(plain.text()).rejects.toThrow();
    const packed = connect({ compression: { response: true } });
    const text = await packed.query({ query: late, format: 'CSV' });
    await expect(text.text()).rejects.toThrow();
    await packed.close();
  });

  test('a query whose client leaves is cancelled in the engine', async () => {
    const leaving = new AbortController();
    const endless = client.query({
      query:
        'SELECT sum(sleepEachRow(0.05)) FROM numbers(1000) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0',
      abort_signal: leaving.signal,
    });
    const running =
      "SELECT count() AS n FROM system.processes WHERE query LIKE '%sleepEachRow(0.05)%' AND query NOT LIKE '%processes%'";
    await expect.poll(async () => rows(running), { timeout: 15_000 }).toEqual([{ n: 1 }]);
    leaving.abort();
    await expect(endless).rejects.toThrow(/abort/i);
    await expect.poll(async () => rows(running), { timeout: 15_000 }).toEqual([{ n: 0 }]);
  });

  test('two running queries may not share an id', async () => {
    const slow = client.query({ query: 'SELECT sleep(1)', query_id: 'same' });
    await expect
      .poll(async () => rows("SELECT count() AS n FROM system.processes WHERE query LIKE 'SELECT sleep(1)%'"))
      .toEqual([{ n: 1 }]);
    await expect(client.query({ query: 'SELECT 1', query_id: 'same' })).rejects.toMatchObject({ code: '216' });
    await (await slow).text();
    await (await client.query({ query: 'SELECT 1', query_id: 'same' })).text();
  });
});
