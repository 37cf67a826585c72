// The door as the process it is in production, with keys made by the command line, and a producer in another language.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../stack/testing/eventually.ts';
import { createDoorBench, type DoorBench } from './testing/bench.ts';
import { readConformance } from './testing/conformance.ts';

const NOW_MS = Date.UTC(2026, 9, 3, 12);
const CHECKOUT = join(import.meta.dirname, '../..');

let bench: DoorBench;
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await bench.close();
});

const environment = () => ({
  ...process.env,
  TRUEUP_POSTGRES_URL: bench.ingest.databases.postgresUrl,
  TRUEUP_TOPIC: bench.ingest.topic,
  TRUEUP_HTTP_PORT: '0',
  TRUEUP_LOG_LEVEL: 'info',
});

async function run(command: string, args: string[], input: Buffer | string = '', env: Record<string, string> = {}) {
  const child = spawn(command, args, { cwd: CHECKOUT, env: { ...environment(), ...env } });
  children.push(child);
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { stdout, stderr, code: code as number };
}

const trueup = async (...args: string[]) => run(process.execPath, ['cli/main.ts', ...args]);

async function startProcess() {
  const child = spawn(process.execPath, ['ingest/http/main.ts'], { cwd: CHECKOUT, env: environment() });
  children.push(child);
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const url = await eventually(30_000, () => /"url":"([^"]+)","topic"/.exec(log)?.[1]);
  return { child, url, log: () => log };
}

function event(id: string): string {
  const time = new Date(NOW_MS).toISOString();
  return JSON.stringify({ specversion: '1.0', id, source: '/cell/9', type: 'query', subject: 'payments.acme', time });
}

describe('the process', () => {
  test('a key from the command line opens the door; the log names the key and never holds it; SIGTERM ends it with 0', async () => {
    bench = await createDoorBench('process', { nowMs: NOW_MS });
    const unknown = await trueup('keys', 'create', '--source', '/cell/9', '--accounts', 'acme,nobody');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('nobody')]);
    const created = await trueup('keys', 'create', '--source', '/cell/9', '--accounts', 'acme');
    const [key, id] = [created.stdout.trim(), /^(key-\w+)/.exec(created.stderr)?.[1] ?? ''];
    expect(created.code).toBe(0);
    const listed = await trueup('keys', 'list');
    expect(listed.stdout).toMatch(new RegExp(`${id} .*/cell/9 +acme .*valid`));
    expect(listed.stdout).not.toContain(key);

    const { child, url, log } = await startProcess();
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/cloudevents+json' };
    const post = async () => fetch(`${url}/v1/events?secret=hidden`, { method: 'POST', headers, body: event('p-1') });
    expect((await post()).status).toBe(200);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const line = await eventually(5_000, () =>
      log()
        .split('\n')
        .find((one) => one.includes('"path":"/v1/events"')),
    );
    expect(JSON.parse(line)).toMatchObject({
      keyId: id,
      source: '/cell/9',
      status: 200,
      events: 1,
      accepted: 1,
      rateShared: true,
    });
    expect(log()).not.toContain(key.slice(12));
    expect(log()).not.toContain('hidden');
    expect((await trueup('keys', 'revoke', id)).code).toBe(0);
    await eventually(15_000, async () => ((await post()).status === 401 ? true : undefined));

    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test('a kill -9 while requests are in flight loses no event that was acknowledged', async () => {
    bench = await createDoorBench('kill', { nowMs: NOW_MS });
    const key = await bench.createKey({ source: '/cell/9', accounts: 'all', eventsPerSecond: 100_000 });
    const { child, url } = await startProcess();
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' };
    const acknowledged: string[] = [];
    let n = 0;
    const send = async () => {
      for (;;) {
        const ids = Array.from({ length: 20 }, () => `k-${(n += 1)}`);
        const { status } = await fetch(`${url}/v1/events`, {
          method: 'POST',
          headers,
          body: ids.map(event).join('\n'),
        });
        if (status === 200) acknowledged.push(...ids);
      }
    };
    const senders = Promise.allSettled([send(), send(), send(), send()]);
    await eventually(20_000, () => (acknowledged.length > 1_000 ? true : undefined));
    child.kill('SIGKILL');
    await senders;
    await bench.ingest.startSink();
    await bench.ingest.untilCaughtUp();
    const rows = await bench.ingest.databases.clickhouse.query<{ id: string }>('SELECT id FROM usage_events_v1 FINAL');
    const stored = new Set(rows.map(({ id }) => id));
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  });
});

describe('the reference producer', () => {
  test('knows keys and partitions, and keeps to what the door asks for', async () => {
    bench = await createDoorBench('producer_units', { nowMs: NOW_MS });
    const { code, stderr } = await run('python3', ['-B', '-m', 'unittest', 'discover', 'fixtures/producer-python']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('OK')]);
  });

  test('gets for every conformance case the outcome the validator gives', async () => {
    bench = await createDoorBench('producer', { nowMs: NOW_MS });
    const cases = readConformance().cases.filter(
      ({ key, lines, name }) => key === undefined && lines && name !== 'a source of 256 bytes',
    );
    const input = Buffer.concat(cases.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
    const args = ['-B', 'fixtures/producer-python/producer.py', '--url', bench.door.url, '-'];
    const { stdout, stderr, code } = await run('python3', args, input, { TRUEUP_API_KEY: bench.key });
    expect(stderr).toBe('');
    const outcomes = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { index: number; outcome: string; code?: string });
    expect(outcomes.map(({ index, outcome, code: reason }) => [cases[index]?.name, reason ?? outcome])).toEqual(
      cases.map(({ name, expect: expected }) => [name, expected]),
    );
    expect(code).toBe(1);
  });
});
