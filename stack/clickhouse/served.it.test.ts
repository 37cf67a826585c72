import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, startEngine } from './running-engine.ts';
import type { RunningEngine } from './running-engine.ts';

// What a shell user and any other HTTP client sees.
const run = promisify(execFile);
let engine: RunningEngine;

async function curl(...args: string[]): Promise<string> {
  return (await run('curl', ['--silent', '--show-error', '--globoff', ...args], { maxBuffer: 2 ** 24 })).stdout;
}

beforeAll(async () => {
  engine = await startEngine();
  await ask(engine.url, 'CREATE TABLE lines (n UInt64, text String) ENGINE = MergeTree ORDER BY n');
});
afterAll(async () => engine.remove());

describe('curl', () => {
  test('asks by GET and by POST', async () => {
    expect(await curl(`${engine.url}/`)).toBe('Ok.\n');
    expect(await curl(`${engine.url}/ping`)).toBe('Ok.\n');
    expect(await curl(`${engine.url}/?query=SELECT+1`)).toBe('1\n');
    expect(await curl(`${engine.url}/`, '--data-binary', "SELECT 'é', 2;")).toBe('é\t2\n');
    expect(await curl(`${engine.url}/?query=SELECT`, '--data-binary', '3')).toBe('3\n');
    expect(await curl(`${engine.url}/?default_format=JSONEachRow&query=SELECT+4+AS+x`)).toBe('{"x":4}\n');
    expect(await curl(`${engine.url}/?query=SELECT+5`, '--header', 'X-ClickHouse-Format: CSVWithNames')).toBe(
      '"5"\n5\n',
    );
    expect(await curl(`${engine.url}/`, '--form', 'query=SELECT {a:String}', '--form', 'param_a=x')).toBe('x\n');
  });

  test('inserts with the statement in the URL, in the body, and with VALUES', async () => {
    await curl(`${engine.url}/?query=INSERT+INTO+lines+FORMAT+TSV`, '--data-binary', '1\ta\n2\tb\n');
    await curl(`${engine.url}/`, '--data-binary', 'INSERT INTO lines FORMAT JSONEachRow\n{"n":3,"text":"c"}');
    await curl(`${engine.url}/`, '--data-binary', "INSERT INTO lines VALUES (4, 'd;'), (2 + 3, 'e\n\nf');");
    await curl(`${engine.url}/?query=INSERT+INTO+lines+(n)+VALUES`, '--data-binary', '(6)');
    const packed = gzipSync('7\tg\n');
    const url = `${engine.url}/?query=INSERT+INTO+lines+FORMAT+TSV`;
    await fetch(url, { method: 'POST', body: packed, headers: { 'Content-Encoding': 'gzip' } });
    expect(
      await curl(`${engine.url}/?query=SELECT+groupArray(n),+groupArray(text)+FROM+(SELECT+*+FROM+lines+ORDER+BY+n)`),
    ).toBe("[1,2,3,4,5,6,7]\t['a','b','c','d;','e\\n\\nf','','g']\n");
  });

  test('gets a compressed answer when it asks for one', async () => {
    const url = `${engine.url}/?enable_http_compression=1&query=SELECT+number+FROM+numbers(400000)`;
    const text = await curl('--compressed', url);
    expect(text.length).toBe(2_688_890);
    expect(text.endsWith('\n399999\n')).toBe(true);
  });
});

describe('refusals', () => {
  test('an error has its code in a header, its text in the body and a fitting status', async () => {
    const { status, text, headers } = await ask(engine.url, 'SELECT * FROM nosuch');
    expect(status).toBe(404);
    expect(headers.get('X-ClickHouse-Exception-Code')).toBe('60');
    expect(text).toMatch(/^Code: 60\. DB::Exception: Unknown table .*\(UNKNOWN_TABLE\) \(version /s);
    expect(text).not.toContain('log_comment');
  });

  test.each([
    ['SELECT 1; DROP TABLE lines', 62],
    ['', 62],
    ["SELECT 1 INTO OUTFILE '/tmp/never'", 358],
    ["INSERT INTO lines FROM INFILE '/etc/passwd' FORMAT TSV", 48],
    ['INSERT INTO lines FORMAT Nonsense 1', 73],
    ['CREATE DATABASE default', 82],
  ])('%j is refused with %i', async (sql, code) => {
    expect((await ask(engine.url, sql)).headers.get('X-ClickHouse-Exception-Code')).toBe(String(code));
  });

  test.each([
    [{ session_id: 's' }, 48],
    [{ nosuch_setting: '1' }, 115],
    [{ database: 'nosuch' }, 81],
    [{ readonly: 'x' }, 27],
  ])('the options %j are refused with %i', async (options: Record<string, string>, code) => {
    expect((await ask(engine.url, 'SELECT 1', options)).headers.get('X-ClickHouse-Exception-Code')).toBe(String(code));
  });

  test('GET never changes anything', async () => {
    const response = await fetch(`${engine.url}/?query=DROP+TABLE+lines`);
    expect(response.headers.get('X-ClickHouse-Exception-Code')).toBe('164');
    expect((await ask(engine.url, 'EXISTS TABLE lines')).text).toBe('1\n');
  });

  test('a page under another name does not reach the engine', async () => {
    expect(await curl(`${engine.url}/?query=SELECT+1`, '--header', 'Host: example.com')).toMatch(/^Code: 516/);
  });

  test('a broken address or encoding harms nobody else', async () => {
    expect(await curl('--path-as-is', `${engine.url}//`)).toMatch(/^(Ok|Code: \d+)/);
    expect(await curl('--path-as-is', `${engine.url}//:99999999/`)).toMatch(/^Code: \d+/);
    const url = `${engine.url}/?query=INSERT+INTO+lines+FORMAT+TSV`;
    const garbled = await fetch(url, { method: 'POST', body: 'no gzip', headers: { 'Content-Encoding': 'gzip' } });
    expect(garbled.headers.get('X-ClickHouse-Exception-Code')).toBe('33');
    const unknown = await fetch(url, { method: 'POST', body: 'x', headers: { 'Content-Encoding': 'lzma' } });
    expect(unknown.status).toBe(501);
    expect((await ask(engine.url, 'SELECT 1', { default_format: 'T\nS' })).status).toBeGreaterThanOrEqual(400);
    expect((await ask(engine.url, 'SELECT 1')).text).toBe('1\n');
  });

  test('temporary tables end with their request', async () => {
    expect((await ask(engine.url, 'CREATE TEMPORARY TABLE passing (n UInt8)')).status).toBe(200);
    const seen = await Promise.all(Array.from({ length: 20 }, async () => ask(engine.url, 'SELECT * FROM passing')));
    expect(seen.every((answer) => answer.status === 404)).toBe(true);
  });
});

test('a dropped database takes no connection with it', async () => {
  for (let round = 0; round < 3; round += 1) {
    await ask(engine.url, 'CREATE DATABASE fresh');
    const inside = { database: 'fresh' };
    await ask(engine.url, 'CREATE TABLE own (n UInt8) ENGINE = MergeTree ORDER BY n', inside);
    await Promise.all(Array.from({ length: 12 }, async () => ask(engine.url, 'INSERT INTO own VALUES (1)', inside)));
    const counted = await Promise.all(
      Array.from({ length: 12 }, async () => ask(engine.url, 'SELECT count() FROM own', inside)),
    );
    expect(new Set(counted.map((answer) => answer.text))).toEqual(new Set(['12\n']));
    expect((await ask(engine.url, 'DROP DATABASE fresh SYNC', inside)).text).toBe('');
    expect((await ask(engine.url, 'SELECT count() FROM own', inside)).status).toBe(404);
    expect((await ask(engine.url, 'SELECT 1')).text).toBe('1\n');
  }
});

test('databases hold for their request only', async () => {
  await ask(engine.url, 'CREATE DATABASE IF NOT EXISTS other');
  await ask(engine.url, 'USE other');
  const names = await Promise.all(
    Array.from({ length: 30 }, async (_, i) =>
      ask(engine.url, 'SELECT currentDatabase()', i % 2 === 0 ? { database: 'other' } : {}),
    ),
  );
  expect(names.map((answer) => answer.text.trim())).toEqual(
    Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? 'other' : 'default')),
  );
});
