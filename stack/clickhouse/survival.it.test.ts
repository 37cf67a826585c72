import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { ask, startEngine } from './running-engine.ts';
import type { RunningEngine } from './running-engine.ts';

const engines: RunningEngine[] = [];

async function start(folder?: string, args: readonly string[] = []): Promise<RunningEngine> {
  const engine = await startEngine(folder, args);
  engines.push(engine);
  return engine;
}

afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.remove();
});

async function countLines(engine: RunningEngine, what = 'count()'): Promise<string> {
  return (await ask(engine.url, `SELECT ${what} FROM lines`)).text.trim();
}

const TABLE = 'CREATE TABLE lines (n UInt64, text String) ENGINE = MergeTree ORDER BY n';

test('what was answered survives SIGKILL, what was not is whole or absent', async () => {
  const batchRows = 500;
  let engine = await start();
  await ask(engine.url, TABLE);
  const answered = new Set<number>();
  let batch = 0;
  for (let round = 0; round < 3; round += 1) {
    const url = engine.url;
    const writer = async (): Promise<void> => {
      for (;;) {
        const mine = (batch += 1);
        const body = `${mine}\tx\n`.repeat(batchRows);
        const { status } = await ask(url, body, { query: 'INSERT INTO lines FORMAT TSV' });
        if (status === 200) answered.add(mine);
      }
    };
    const before = answered.size;
    const writers = Promise.allSettled([writer(), writer(), writer()]);
    await expect.poll(() => answered.size - before, { timeout: 20_000, interval: 5 }).toBeGreaterThan(20);
    await engine.end('SIGKILL');
    await writers;
    engine = await start(engine.folder);
  }
  const kept = await ask(engine.url, 'SELECT n, count() FROM lines GROUP BY n');
  const counts = new Map(
    kept.text
      .trim()
      .split('\n')
      .map((line) => line.split('\t').map(Number) as [number, number]),
  );
  expect([...answered].filter((n) => counts.get(n) !== batchRows)).toEqual([]);
  expect([...counts.values()].filter((rows) => rows !== batchRows)).toEqual([]);
});

/** Sends the beginning of a chunked insert and then breaks the connection. */
async function cutInsert(engine: RunningEngine, parts: Iterable<Buffer>, headers = ''): Promise<void> {
  const socket = connect(Number(new URL(engine.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  const target = '/?query=INSERT%20INTO%20lines%20FORMAT%20TSV';
  socket.write(`POST ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n${headers}\r\n`);
  for (const part of parts) {
    socket.write(`${part.length.toString(16)}\r\n`);
    socket.write(part);
    if (!socket.write('\r\n')) await once(socket, 'drain');
  }
  socket.resetAndDestroy();
}

test('an insert cut below the limit leaves nothing, plain or compressed', async () => {
  const engine = await start();
  await ask(engine.url, TABLE);
  await cutInsert(engine, [Buffer.from('1\ta\n2\tb\n'.repeat(1000)), Buffer.from('3\tun')]);
  const packed = gzipSync(Buffer.from('1\ta\n'.repeat(100_000)));
  await cutInsert(engine, [packed.subarray(0, packed.length - 20)], 'Content-Encoding: gzip\r\n');
  const short = await fetch(`${engine.url}/?query=INSERT+INTO+lines+FORMAT+TSV`, {
    method: 'POST',
    body: packed.subarray(0, packed.length - 20),
    headers: { 'Content-Encoding': 'gzip' },
  });
  expect(await short.text()).toMatch(/^Code: 33\..*ended early/);
  // Another insert runs through the same engine and is the only one to be seen.
  await ask(engine.url, '9\tz\n', { query: 'INSERT INTO lines FORMAT TSV' });
  expect(await countLines(engine)).toBe('1');
});

test('an insert cut beyond the limit leaves whole rows from its beginning, and no answer', async () => {
  const engine = await start();
  await ask(engine.url, TABLE);
  function* parts(): Generator<Buffer> {
    let n = 0;
    for (let part = 0; part < 120; part += 1) {
      yield Buffer.from(Array.from({ length: 10_000 }, () => `${(n += 1)}\t${'x'.repeat(60)}\n`).join(''));
    }
    yield Buffer.from(`${n + 1}\tunfinished row`);
  }
  await cutInsert(engine, parts());
  // The blocks before the cut are there or still coming; rows 1 to n without a gap, none of them shortened.
  await expect.poll(async () => Number(await countLines(engine)), { timeout: 10_000 }).toBeGreaterThan(0);
  expect(await countLines(engine, 'count() = max(n) AND countIf(length(text) != 60) = 0')).toBe('1');
  expect(Number(await countLines(engine, 'max(n)'))).toBeLessThanOrEqual(1_200_000);
});

test('a large insert streams in blocks and counts every row', async () => {
  const engine = await start();
  await ask(engine.url, TABLE);
  const rows = 1_500_000;
  const body = Array.from({ length: rows }, (_, n) => `${n}\t${'y'.repeat(50)}\n`).join('');
  const { headers } = await ask(engine.url, body, { query: 'INSERT INTO lines FORMAT TSV' });
  expect(JSON.parse(String(headers.get('X-ClickHouse-Summary')))).toMatchObject({ written_rows: String(rows) });
  expect(await countLines(engine, 'count(), uniqExact(n)')).toBe(`${rows}\t${rows}`);
});

test('SIGTERM lets a running query finish, refuses new ones, and frees the folder', async () => {
  const engine = await start();
  const slow = ask(engine.url, 'SELECT sleep(1.5)');
  const running = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleep%'";
  await expect.poll(async () => (await ask(engine.url, running)).text).toBe('1\n');
  const ended = engine.end('SIGTERM');
  expect((await slow).text).toBe('0\n');
  expect(await ended).toBe(0);
  await expect(ask(engine.url, 'SELECT 1')).rejects.toThrow();
  const startedAt = performance.now();
  const again = await start(engine.folder);
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect((await ask(again.url, 'SELECT 1')).text).toBe('1\n');
});

test('a second process on the same folder fails with the reason', async () => {
  const engine = await start();
  await expect(start(engine.folder)).rejects.toThrow(
    /ended with code 1: .*can't open the ClickHouse folder .*another process/s,
  );
  expect((await ask(engine.url, 'SELECT 1')).text).toBe('1\n');
});

test('another address than the loopback is refused', async () => {
  await expect(start(undefined, ['--host', '0.0.0.0'])).rejects.toThrow(/ended with code 2: .*only 127\.0\.0\.1/s);
});

test('a full queue is refused at once, and long reads hold back no insert', async () => {
  const engine = await start(undefined, ['--queries', '2', '--queue', '2']);
  await ask(engine.url, TABLE);
  const long = Array.from({ length: 4 }, async () => ask(engine.url, 'SELECT sleep(2)'));
  await expect.poll(async () => (await ask(engine.url, 'SELECT 1')).status, { timeout: 5000 }).toBe(503);
  const startedAt = performance.now();
  expect((await ask(engine.url, '1\ta\n', { query: 'INSERT INTO lines FORMAT TSV' })).status).toBe(200);
  expect(performance.now() - startedAt).toBeLessThan(2000);
  const refused = await ask(engine.url, 'SELECT 1');
  expect(refused.headers.get('X-ClickHouse-Exception-Code')).toBe('202');
  expect((await Promise.all(long)).map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
  expect(await countLines(engine)).toBe('1');
});

test('fourteen statements run at the same time', async () => {
  const engine = await start(undefined, ['--queries', '14']);
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: 14 }, async () => ask(engine.url, 'SELECT sleep(1.5)')));
  // Node's default of four threads would need four rounds.
  expect(performance.now() - startedAt).toBeLessThan(4500);
});

test('files of a former life are cleared away', async () => {
  const engine = await start();
  await engine.end('SIGKILL');
  const left = `${engine.folder}/spill/left.data`;
  await writeFile(left, 'x');
  await start(engine.folder);
  await expect(stat(left)).rejects.toThrow(/ENOENT/);
});
