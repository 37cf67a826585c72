// The door as the process it is in production, with keys made by the command line, and a producer in another language.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { countedParameters } from '../../aggregate/parameters.ts';
import { QUERIES } from '../../aggregate/queries.ts';
import { DAY_MS } from '../../domain/period.ts';
import { eventually } from '../../stack/testing/eventually.ts';
import { createDoorBench, type DoorBench } from './testing/bench.ts';
import { readConformance, type ConformanceCase } from './testing/conformance.ts';
import { CHECKOUT, environmentOf, startDoorProcess } from './testing/door-process.ts';

const NOW_MS = Date.UTC(2026, 9, 3, 12);

let bench: DoorBench;
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await bench.close();
});

async function run(command: string, args: string[], input: Buffer | string = '', env: Record<string, string> = {}) {
  const child = spawn(command, args, { cwd: CHECKOUT, env: { ...environmentOf(bench), ...env } });
  children.push(child);
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { stdout, stderr, code: code as number };
}

const trueup = async (...args: string[]) => run(process.execPath, ['cli/main.ts', ...args]);

const startProcess = async (changes: Readonly<Record<string, string>> = {}) =>
  startDoorProcess(bench, (child) => children.push(child), changes);

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
    // Five runs of the command line.
  }, 180_000);

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

  test('a topic of manifests that is missing delays no usage, and is used as soon as it is there', async () => {
    bench = await createDoorBench('late_topic', { nowMs: NOW_MS });
    const topic = `${bench.manifestTopic}.late`;
    const { url } = await startProcess({ TRUEUP_MANIFEST_TOPIC: topic });
    const key = await bench.createKey({ source: '/cell/9', accounts: 'all' });
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const post = async (path: string, body: string) => fetch(`${url}/v1/${path}`, { method: 'POST', headers, body });
    const manifest = { source: '/cell/9', hour: '2026-10-03T11:00:00Z', events: 0, quantity: '0', revision: 1 };
    const [refused, ...taken] = await Promise.all([
      post('manifests', JSON.stringify(manifest)),
      ...['m-1', 'm-2', 'm-3'].map(async (id) => post('events', event(id))),
    ]);
    expect(taken.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
    expect(await refused.json()).toMatchObject({ code: 'NOT_ACKNOWLEDGED', retryable: true });
    await bench.ingest.kafka.createTopic(topic, { partitions: 1 });
    await eventually(60_000, async () => {
      const { status } = await post('manifests', JSON.stringify(manifest));
      return status === 200 ? true : undefined;
    });
  });
});

describe('the reference producer', () => {
  test('knows keys and partitions, and keeps to what the door asks for', async () => {
    bench = await createDoorBench('producer_units', { nowMs: NOW_MS });
    const { code, stderr } = await run('python3', ['-B', '-m', 'unittest', 'discover', 'fixtures/producer-python']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('OK')]);
  });

  type Told = { index: number; outcome: string; code?: string };
  const produce = async (url: string, args: string[], input: Buffer, key = bench.key) => {
    const command = ['-B', 'fixtures/producer-python/producer.py', '--url', url, ...args, '-'];
    const { stdout, stderr, code } = await run('python3', command, input, { TRUEUP_API_KEY: key });
    const lines = stdout.split('\n').filter((line) => line !== '');
    return { told: lines.map((line) => JSON.parse(line) as Told), stderr, code };
  };
  const inLines = (cases: readonly ConformanceCase[]) =>
    Buffer.concat(cases.flatMap(({ bytes }) => [bytes, Buffer.from('\n')]));
  /** Its key belongs to that source. */
  const otherSource = `/${'s'.repeat(255)}`;
  const isOther = ({ bytes }: ConformanceCase) => bytes.includes(`"${otherSource}"`);

  test('gets for every conformance case the outcome that stands there; only a foreign Kafka key can not be sent', async () => {
    bench = await createDoorBench('producer', { nowMs: NOW_MS });
    const { cases } = readConformance();
    const sendable = cases.filter(({ key }) => key === undefined);
    expect(cases.length - sendable.length).toBe(1);
    const otherKey = await bench.createKey({ source: otherSource, accounts: ['acme'] });
    const runs = [
      { members: sendable.filter((one) => one.lines && !isOther(one)), args: [], key: bench.key },
      { members: sendable.filter(isOther), args: [], key: otherKey },
      ...sendable.filter(({ lines }) => !lines).map((one) => ({ members: [one], args: ['--whole'], key: bench.key })),
    ];
    const seen = new Map<string, string>();
    for (const { members, args, key } of runs) {
      const input = args.length === 0 ? inLines(members) : Buffer.concat(members.map(({ bytes }) => bytes));
      const { told, stderr, code } = await produce(bench.door.url, args, input, key);
      expect(stderr).toBe('');
      expect(code).toBe(members.some(({ expect: expected }) => expected !== 'accepted') ? 1 : 0);
      expect(told.map(({ index }) => index)).toEqual(members.map((_, index) => index));
      for (const { index, outcome, code: reason } of told) seen.set(members[index]?.name ?? '', reason ?? outcome);
    }
    expect(seen).toEqual(new Map(sendable.map(({ name, expect: expected }) => [name, expected])));
  });

  test('announces what the integrity job counts: copies once, voids without quantity, nothing that was refused', async () => {
    bench = await createDoorBench('announced', { nowMs: NOW_MS });
    const members = readConformance().cases.filter((one) => one.key === undefined && one.lines && !isOther(one));
    const { url } = await startProcess();
    const quiet = '2026-10-03T09:00:00Z';
    const { told, stderr } = await produce(url, ['--manifest', '/cell/1', '--hour', quiet], inLines(members));
    expect(stderr).toBe('');
    const manifests = told.slice(members.length) as (Told & { hour: string; events: number })[];
    expect(manifests.map(({ outcome }) => outcome)).toEqual(manifests.map(() => 'accepted'));
    expect(manifests.find(({ hour }) => hour === quiet)).toMatchObject({ events: 0, quantity: '0' });
    const accepted = members.filter(({ expect: expected }) => expected === 'accepted').length;
    const announced = manifests.reduce((sum, { events }) => sum + events, 0);
    expect(announced).toBeGreaterThan(1);
    // Many cases share an identity.
    expect(announced).toBeLessThan(accepted);

    await bench.ingest.startSink();
    await bench.ingest.startManifestSink(bench.manifestTopic);
    await bench.ingest.untilCaughtUp();
    const { clickhouse } = bench.ingest.databases;
    await eventually(20_000, async () => {
      const rows = await clickhouse.query('SELECT hour FROM usage_manifests_v1 FINAL');
      return rows.length === manifests.length ? true : undefined;
    });
    const window = { startAtMs: NOW_MS - 40 * DAY_MS, endAtMs: NOW_MS + DAY_MS };
    const parameters = countedParameters({ window });
    expect(await clickhouse.query(QUERIES.sourceHours, parameters)).toEqual([]);
  });
});
