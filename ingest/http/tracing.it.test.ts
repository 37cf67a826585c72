// Traces from the door through the log and the truth to the rollups, as a collector receives them.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { RollupWorker } from '../../aggregate/rollup-worker.ts';
import type { AggregateTables } from '../../aggregate/tables.ts';
import { LoggedRecord } from '../../platform/kafka-record.ts';
import { createLog } from '../../platform/log.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { startTraceReceiver, type ReceivedSpan } from '../../platform/testing/trace-receiver.ts';
import { NO_TRACING, startTracing, TRACEPARENT, type Tracing } from '../../platform/tracing.ts';
import { createDoorBench, type DoorBench } from './testing/bench.ts';

const NOW_MS = Date.UTC(2026, 9, 3, 12);
const SENDER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const headers = { traceparent: `00-${SENDER.traceId}-${SENDER.spanId}-01` };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function event(id: string, changes: Readonly<Record<string, unknown>> = {}): string {
  const time = new Date(NOW_MS - 1_000).toISOString();
  const good = { specversion: '1.0', id, source: '/cell/1', type: 'query', subject: 'payments.acme', time };
  return JSON.stringify({ ...good, ...changes });
}

const start = async (process: string, url: string | undefined): Promise<Tracing> =>
  startTracing({ url, process, log: createLog('test', 'silent') });

async function openBench(label: string, tracing: Tracing): Promise<DoorBench> {
  const bench = await createDoorBench(label, { nowMs: NOW_MS, tracing });
  closing.push(async () => bench.close());
  return bench;
}

/** Stores what is in the log and rolls it up. */
async function carryOn({ ingest }: DoorBench, [sinkTracing, rollupTracing]: readonly [Tracing, Tracing]) {
  await ingest.startSink(sinkTracing);
  await ingest.untilCaughtUp();
  const db = createPostgres<AggregateTables>(ingest.databases.postgresUrl);
  closing.push(async () => db.destroy());
  const { clickhouse } = ingest.databases;
  const rollup = new RollupWorker({ clickhouse, db, tracing: rollupTracing, busyNamespaces: 1 }, () =>
    performance.now(),
  );
  expect((await rollup.pass()).blocks).toBeGreaterThan(0);
  return db.selectFrom('ingest_blocks').select('trace').execute();
}

describe('with a collector', () => {
  test('a request is found again where its events were stored and where those were rolled up', async () => {
    const receiver = await startTraceReceiver();
    closing.push(async () => receiver.close());
    const [http, ingest, aggregate] = await Promise.all([
      start('http', receiver.url),
      start('ingest', receiver.url),
      start('aggregate', receiver.url),
    ]);
    const bench = await openBench('traced', http);
    const lines = [event('secret-id-1'), event('secret-id-2'), event('secret-id-3', { quantity: '-7' })];
    const type = 'application/x-ndjson';
    expect((await bench.post(lines.join('\n'), { type, headers })).status).toBe(207);
    expect((await bench.post(event('b'), { key: 'trueup_test_wrong', headers })).status).toBe(401);
    await carryOn(bench, [ingest, aggregate]);
    await Promise.all([http.stop(), ingest.stop(), aggregate.stop()]);

    const named = (name: string) => receiver.spans.filter((span) => span.name === name);
    const [request, refused] = named('POST /v1/events');
    expect(request).toMatchObject({
      traceId: SENDER.traceId,
      parentSpanId: SENDER.spanId,
      service: 'trueup-http',
      attributes: {
        'http.response.status_code': 207,
        'trueup.code': 'OK',
        'trueup.events': 3,
        'trueup.accepted': 2,
        'trueup.rejected': 1,
      },
    });
    expect(refused?.attributes).toMatchObject({ 'http.response.status_code': 401, 'trueup.code': 'KEY_INVALID' });
    const stores = named('store blocks');
    const linked = (spans: readonly ReceivedSpan[]) =>
      new Set(spans.flatMap(({ links }) => links.map((l) => l.spanId)));
    expect(linked(stores)).toEqual(new Set([request?.spanId]));
    expect(stores.reduce((sum, { attributes }) => sum + Number(attributes['trueup.accepted']), 0)).toBe(2);
    expect(linked(named('roll up blocks'))).toEqual(new Set(stores.map(({ spanId }) => spanId)));
    expect(receiver.spans.map(({ service }) => service)).toEqual(
      expect.arrayContaining(['trueup-http', 'trueup-ingest', 'trueup-aggregate']),
    );
    for (const secret of ['secret-id', bench.key, 'wrong', 'acme', '/cell/1', 'query', 'quantity']) {
      expect(receiver.bodies.join('\n')).not.toContain(secret);
    }
  });

  test('that does not answer, events are taken, stored and rolled up as ever, and a stop does not wait for it', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closing.push(async () => {
      silent.closeAllConnections();
      await new Promise((resolve) => silent.close(resolve));
    });
    const tracing = await start('http', `http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    const bench = await openBench('untaken', tracing);
    expect((await bench.post(event('a'))).status).toBe(200);
    await carryOn(bench, [tracing, tracing]);
    const stoppingMs = performance.now();
    await tracing.stop();
    expect(performance.now() - stoppingMs).toBeLessThan(10_000);
  });
});

test('without a collector nothing is made, no record has a header and no block has a trace', async () => {
  const tracing = await start('http', undefined);
  expect(tracing).toBe(NO_TRACING);
  const bench = await openBench('untraced', tracing);
  expect((await bench.post(event('a'), { headers })).status).toBe(200);
  const found: unknown[] = [];
  const { promise: seen, resolve } = Promise.withResolvers<void>();
  const { topic, kafka } = bench.ingest;
  const consumer = kafka.createConsumer({
    topic,
    groupId: `headers-${topic}`,
    onBatch: async ({ records }) => {
      found.push(...Array.from(records, (record) => record instanceof LoggedRecord && record.header(TRACEPARENT)));
      resolve();
      return Promise.resolve(true);
    },
  });
  closing.push(async () => consumer.stop());
  await consumer.start();
  await seen;
  expect(found).toEqual([undefined]);
  expect(await carryOn(bench, [tracing, tracing])).toEqual([{ trace: null }]);
});
