// The HTTP door on real servers. Each test has its own topic, database and keys.

import { gzipSync } from 'node:zlib';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually } from '../../stack/testing/eventually.ts';
import { createDoorBench, type DoorBench } from './testing/bench.ts';
import { readConformance } from './testing/conformance.ts';

const NOW_MS = Date.UTC(2026, 9, 3, 12);

let bench: DoorBench;
afterEach(async () => bench.close());

function event(id: string, changes: Readonly<Record<string, unknown>> = {}): string {
  const time = new Date(NOW_MS - 1_000).toISOString();
  const good = { specversion: '1.0', id, source: '/cell/1', type: 'query', subject: 'payments.acme', time };
  return JSON.stringify({ ...good, ...changes });
}

const countLog = async () =>
  (await bench.ingest.kafka.fetchEndOffsets(bench.ingest.topic)).reduce((sum, end) => sum + end, 0n);

describe('events at the door', () => {
  test('every form of body reaches the log byte for byte, keyed by identity and stamped with the arrival', async () => {
    bench = await createDoorBench('forms', { nowMs: NOW_MS });
    const spaced = event('b-1', { n: 0 }).replace('"n":0', '"n" : 1e400');
    const ndjson = { type: 'application/x-ndjson' };
    const replies = [
      await bench.post(event('a')),
      await bench.post(event('b'), { type: 'application/json; charset=utf-8' }),
      await bench.post(`[ ${spaced} ,\n${event('b-2')}]`, { type: 'application/cloudevents-batch+json' }),
      await bench.post(`${event('c-1')}\n\n${event('c-2')}\r\n`, ndjson),
      await bench.post(gzipSync(`${event('d-1')}\n${event('d-2')}`), {
        ...ndjson,
        headers: { 'content-encoding': 'gzip' },
      }),
    ];
    expect(replies.map(({ status, body }) => [status, body.accepted])).toEqual([1, 1, 2, 2, 2].map((n) => [200, n]));
    const log = await bench.fetchLog(8);
    const sent = [event('a'), event('b'), spaced, ...['b-2', 'c-1', 'c-2', 'd-1', 'd-2'].map((id) => event(id))];
    expect(log.map(({ value }) => value).sort()).toEqual(sent.toSorted());
    for (const { key, value, timestampMs } of log) {
      expect(key).toBe(`payments.acme /cell/1 ${(JSON.parse(value) as { id: string }).id}`);
      expect(timestampMs).toBe(NOW_MS);
    }
  });

  test('what the door accepted, the sink counts, and what it refused is not in the log', async () => {
    bench = await createDoorBench('conformance', { nowMs: NOW_MS });
    const { cases } = readConformance();
    const seen: [string, string, string | undefined][] = [];
    const otherSource = `/${'s'.repeat(255)}`;
    const otherKey = await bench.createKey({ source: otherSource, accounts: ['acme'] });
    for (const { name, bytes, key } of cases) {
      if (key !== undefined) continue;
      const { body } = await bench.post(bytes, bytes.includes(`"${otherSource}"`) ? { key: otherKey } : {});
      const [outcome] = body.outcomes ?? [];
      seen.push([name, outcome?.code ?? outcome?.outcome ?? 'none', outcome?.field ?? undefined]);
    }
    const sendable = cases.filter(({ key }) => key === undefined);
    expect(seen).toEqual(sendable.map(({ name, expect: expected, field }) => [name, expected, field]));
    const accepted = sendable.filter(({ expect: expected }) => expected === 'accepted').length;
    expect(await countLog()).toBe(BigInt(accepted));
    await bench.ingest.startSink();
    await bench.ingest.untilCaughtUp();
    expect(await bench.ingest.countRejects()).toBe(0);
  });

  test('a mixed request is answered event by event, and only the accepted ones are in the log', async () => {
    bench = await createDoorBench('mixed', { nowMs: NOW_MS });
    const lines = [event('a'), 'nonsense', event('b', { quantity: '-1' }), event('c', { source: '/cell/2' })];
    const type = 'application/x-ndjson';
    const { status, body } = await bench.post(
      [...lines, event('d', { subject: 'payments.unknown' }), event('e')].join('\n'),
      { type },
    );
    expect(status).toBe(207);
    expect(body).toMatchObject({ accepted: 2, rejected: 4 });
    expect(body.outcomes?.map(({ id, code }) => [id, code])).toEqual([
      ['a', undefined],
      ['', 'NOT_JSON'],
      ['b', 'QUANTITY_INVALID'],
      ['c', 'SOURCE_NOT_ALLOWED'],
      ['d', 'ACCOUNT_UNKNOWN'],
      ['e', undefined],
    ]);
    expect(body.outcomes?.[2]).toMatchObject({
      field: 'quantity',
      retryable: false,
      next: expect.stringContaining('decimal'),
    });
    expect(await countLog()).toBe(2n);
  });

  test('an event larger than a record may be is refused with 413, in a batch by its outcome', async () => {
    bench = await createDoorBench('large', { nowMs: NOW_MS });
    const large = event('large', { padding: 'x'.repeat(65_536) });
    const alone = await bench.post(large);
    expect([alone.status, alone.body.code, alone.body.next]).toEqual([
      413,
      'EVENT_TOO_LARGE',
      expect.stringContaining('65536'),
    ]);
    const mixed = await bench.post(`${event('small')}\n${large}`, { type: 'application/x-ndjson' });
    expect([mixed.status, mixed.body.outcomes?.[1]?.code]).toEqual([207, 'LINE_TOO_LARGE']);
  });
});

describe('keys', () => {
  test('a key writes for its source and its accounts only, and learns nothing about others', async () => {
    bench = await createDoorBench('scope', { nowMs: NOW_MS });
    const key = await bench.createKey({ source: '/cell/2', accounts: ['globex'] });
    const mine = { source: '/cell/2', subject: 'orders.globex' };
    expect((await bench.post(event('a', mine), { key })).status).toBe(200);
    const codes = [];
    for (const change of [{ subject: 'orders.acme' }, { subject: 'orders.nobody' }, { source: '/cell/1' }]) {
      const { status, body } = await bench.post(event('b', { ...mine, ...change }), { key });
      codes.push([status, body.code, body.outcomes?.[0]?.code]);
    }
    expect(codes).toEqual([
      [403, 'EVENTS_FORBIDDEN', 'ACCOUNT_NOT_ALLOWED'],
      [403, 'EVENTS_FORBIDDEN', 'ACCOUNT_NOT_ALLOWED'],
      [403, 'EVENTS_FORBIDDEN', 'SOURCE_NOT_ALLOWED'],
    ]);
  });

  test('an account registered after the arrival is unknown to it', async () => {
    bench = await createDoorBench('since', { nowMs: NOW_MS });
    const { body } = await bench.post(event('a', { subject: 'payments.tomorrow' }));
    expect(body.outcomes?.[0]?.code).toBe('ACCOUNT_UNKNOWN');
  });

  test('without a valid key nothing is read: missing, mistyped, foreign, unknown, expired, revoked', async () => {
    bench = await createDoorBench('keys', { nowMs: NOW_MS });
    const foreign = await bench.principals.createKey({
      env: 'live',
      source: '/l',
      accounts: 'all',
      eventsPerSecond: 1,
      nowMs: 0,
    });
    const expired = await bench.createKey({ source: '/x', accounts: 'all', expiresAtMs: Date.now() - 1 });
    const revoked = await bench.createKey({ source: '/y', accounts: 'all' });
    const id = (await bench.principals.fetchKeys()).find(({ source }) => source === '/y')?.id ?? '';
    expect(await bench.principals.revokeKey(id, Date.now())).toBe(true);
    const live = foreign.created ? foreign.text : '';
    const keys = ['', 'secret', `${bench.key}0`, live, expired, revoked];
    const replies = await Promise.all(keys.map(async (key) => bench.post(event('a'), { key })));
    expect(replies.map(({ status }) => status)).toEqual(keys.map(() => 401));
    const codes = ['KEY_MISSING', 'KEY_INVALID', 'KEY_INVALID', 'KEY_INVALID', 'KEY_EXPIRED', 'KEY_EXPIRED'];
    expect(replies.map(({ body }) => body.code)).toEqual(codes);
    expect(replies[0]?.headers.get('www-authenticate')).toContain('Bearer');
    expect(await countLog()).toBe(0n);
  });

  test('a rotation leaves both keys valid until the overlap ends', async () => {
    bench = await createDoorBench('rotate', { nowMs: NOW_MS });
    const [old] = await bench.principals.fetchKeys();
    const request = { env: 'test', nowMs: Date.now() } as const;
    const created = await bench.principals.rotateKey(old?.id ?? '', Date.now() + 3_000, request);
    const key = created?.created === true ? created.text : '';
    expect((await bench.post(event('a'))).status).toBe(200);
    expect((await bench.post(event('b'), { key })).status).toBe(200);
    await eventually(10_000, async () => ((await bench.post(event('c'))).status === 401 ? true : undefined));
    expect((await bench.post(event('d'), { key })).status).toBe(200);
  });
});

describe('what does not fit', () => {
  test('every refusal has a status, a code, the field and the next step in one shape', async () => {
    bench = await createDoorBench('shape', { nowMs: NOW_MS, limits: { bodyBytesMax: 10_000, eventsMax: 3 } });
    const gzip = { 'content-encoding': 'gzip' };
    const ndjson = 'application/x-ndjson';
    const many = [1, 2, 3, 4].map((n) => event(`m-${n}`)).join('\n');
    const cases = [
      [await bench.post('', { path: '/v2/events' }), 404, 'PATH_UNKNOWN'],
      [await bench.post('', { method: 'GET' }), 405, 'METHOD_NOT_ALLOWED'],
      [await bench.post('', { method: 'PUT' }), 405, 'METHOD_NOT_ALLOWED'],
      [await bench.post(event('a'), { type: 'text/plain' }), 415, 'CONTENT_TYPE_UNSUPPORTED'],
      [await bench.post(event('a'), { type: 'application/json; charset=latin1' }), 415, 'CONTENT_TYPE_UNSUPPORTED'],
      [await bench.post(event('a'), { headers: { 'content-encoding': 'br' } }), 415, 'CONTENT_ENCODING_UNSUPPORTED'],
      [await bench.post(event('a'), { headers: gzip }), 400, 'BODY_INVALID'],
      [await bench.post(gzipSync(event('a')).subarray(0, 30), { headers: gzip }), 400, 'BODY_INVALID'],
      [await bench.post(event('a'), { type: 'application/cloudevents-batch+json' }), 400, 'BODY_INVALID'],
      [await bench.post('\n\n', { type: ndjson }), 400, 'BODY_INVALID'],
      [await bench.post('x'.repeat(10_001)), 413, 'BODY_TOO_LARGE'],
      [await bench.post(gzipSync('x'.repeat(5_000_000)), { headers: gzip }), 413, 'BODY_TOO_LARGE'],
      [await bench.post(many, { type: ndjson }), 413, 'TOO_MANY_EVENTS'],
    ] as const;
    for (const [{ status, body, headers }, expectedStatus, code] of cases) {
      expect([status, body.code]).toEqual([expectedStatus, code]);
      expect(body).toMatchObject({ message: expect.any(String), next: expect.any(String), retryable: false });
      expect(headers.get('x-request-id')).toBe(body.requestId);
    }
    expect(cases[1][0].headers.get('allow')).toBe('POST');
    expect(await countLog()).toBe(0n);
    const { body } = await bench.post(event('a'), { headers: { 'x-request-id': 'mine-7' } });
    expect(body.requestId).toBe('mine-7');
  });

  test('a body of many megabytes is answered 413 while the client still sends', async () => {
    bench = await createDoorBench('flood', { nowMs: NOW_MS });
    const { status, body } = await bench.post(Buffer.alloc(20_000_000, 'x'), { type: 'application/x-ndjson' });
    expect([status, body.code, body.next]).toEqual([413, 'BODY_TOO_LARGE', expect.stringContaining('1048576 bytes')]);
  });

  test('beyond its rate a key gets 429 with the time to wait, and the same request passes then', async () => {
    bench = await createDoorBench('rate', { nowMs: NOW_MS });
    const key = await bench.createKey({ source: '/cell/1', accounts: 'all', eventsPerSecond: 100 });
    const type = 'application/x-ndjson';
    const lines = (count: number, name: string) =>
      Array.from({ length: count }, (_, n) => event(`${name}-${n}`)).join('\n');
    // All that a key may send at once, and then what takes five seconds to become free: a slow machine needs less.
    expect((await bench.post(lines(1_000, 'r'), { key, type })).status).toBe(200);
    const refused = await bench.post(lines(500, 's'), { key, type });
    expect([refused.status, refused.body.code, refused.body.retryable]).toEqual([429, 'RATE_LIMITED', true]);
    const waitS = Number(refused.headers.get('retry-after'));
    expect(waitS).toBeGreaterThanOrEqual(1);
    expect(waitS).toBeLessThanOrEqual(5);
    await pause(waitS * 1_000);
    const again = await bench.post(lines(500, 's'), { key, type });
    expect(again.status).toBe(200);
    expect(await countLog()).toBe(1_500n);
  });

  test('without Redis the limit holds per process, and usage passes', async () => {
    bench = await createDoorBench('noredis', { nowMs: NOW_MS, redisUrl: 'redis://127.0.0.1:1' });
    const key = await bench.createKey({ source: '/cell/1', accounts: 'all', eventsPerSecond: 1 });
    const type = 'application/x-ndjson';
    const lines = Array.from({ length: 1_000 }, (_, n) => event(`r-${n}`)).join('\n');
    expect((await bench.post(lines, { key, type })).status).toBe(200);
    expect((await bench.post(lines, { key, type })).status).toBe(429);
  });
});

describe('a broker that does not answer', () => {
  test('gives 503 in time, bounds the memory, and what was told to be late counts once after all', async () => {
    const gate = Promise.withResolvers<void>();
    const isHeld = Promise.withResolvers<void>();
    bench = await createDoorBench('stuck', {
      nowMs: NOW_MS,
      ackTimeoutMs: 500,
      bytesInFlightMax: 200_000,
      between: async (send) => {
        isHeld.resolve();
        return gate.promise.then(send);
      },
    });
    const line = event('held', { padding: 'x'.repeat(60_000) });
    const first = bench.post(line);
    // Of several at once any may be the one that is let in first.
    await isHeld.promise;
    const others = await Promise.all(Array.from({ length: 8 }, async () => bench.post(line)));
    const late = await first;
    expect([late.status, late.body.code, late.headers.get('retry-after')]).toEqual([503, 'NOT_ACKNOWLEDGED', '2']);
    expect(others.map(({ status }) => status)).toEqual(others.map(() => 503));
    expect(others.map(({ body }) => body.code)).toContain('OVERLOADED');
    for (const { headers } of others) expect(headers.get('retry-after')).toBe('2');
    gate.resolve();
    await eventually(10_000, async () => ((await bench.post(line)).status === 200 ? true : undefined));
    await bench.ingest.startSink();
    await bench.ingest.untilCaughtUp();
    expect(await bench.ingest.fetchTotals()).toEqual({ events: '1', quantity: '1' });
  });

  test('small events weigh more than their bytes, and what was refused for it passes once there is room', async () => {
    bench = await createDoorBench('small', { nowMs: NOW_MS, bytesInFlightMax: 100_000 });
    const lines = (count: number) => Array.from({ length: count }, (_, n) => event(`s-${n}`)).join('\n');
    const type = 'application/x-ndjson';
    expect(lines(180).length).toBeLessThan(30_000);
    const refused = await bench.post(lines(180), { type });
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'OVERLOADED', '2']);
    expect((await bench.post(lines(120), { type })).status).toBe(200);
    expect((await bench.post(lines(120), { type })).status).toBe(200);
    expect(await countLog()).toBe(240n);
  });

  test('a stop answers what came in and refuses what comes', async () => {
    const gate = Promise.withResolvers<void>();
    bench = await createDoorBench('stop', { nowMs: NOW_MS, between: async (send) => gate.promise.then(send) });
    const held = bench.post(event('held'));
    await pause(200);
    const stopped = bench.door.stop();
    gate.resolve();
    expect((await held).status).toBe(200);
    await stopped;
    await expect(bench.post(event('after'))).rejects.toThrow('fetch failed');
  });
});
