// Servers that die or stand still under the door. They are this file's own: nobody else's tests may notice.

import type { ChildProcess } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { INTAKE_LIMITS } from '../../domain/contracts/intake.ts';
import { startStack, type Stack } from '../../stack/stack.ts';
import { eventually } from '../../stack/testing/eventually.ts';
import { createDoorBench, type DoorBench } from './testing/bench.ts';
import { startDoorProcess } from './testing/door-process.ts';
import {
  createLargeBatch,
  createSmallBatch,
  postBatch,
  readMemory,
  type Batch,
  type FloodAnswer,
} from './testing/flood.ts';

const NOW_MS = Date.UTC(2026, 9, 3, 12);
const SERVERS = ['kafka', 'postgres', 'redis', 'clickhouse'] as const;

let stack: Stack;
let bench: DoorBench;
const children: ChildProcess[] = [];
beforeAll(async () => {
  const name = `door-outage-${process.pid}`;
  stack = await startStack({ name, servers: SERVERS, ignoreGiven: true, log: () => undefined });
  Object.assign(process.env, stack.env);
});
afterAll(async () => stack.stop());
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await bench.close();
});

function lines(ids: readonly string[]): string {
  const good = { specversion: '1.0', source: '/cell/1', type: 'query', subject: 'payments.acme' };
  const time = new Date(NOW_MS).toISOString();
  return ids.map((id) => JSON.stringify({ ...good, id, time })).join('\n');
}

/** Sends batches, each until it is accepted, as a producer does; counts what it was told meanwhile. */
function startProducer() {
  const stopping = new AbortController();
  const answers = new Map<number, number>();
  const accepted: string[] = [];
  const run = async () => {
    for (let n = 0; !stopping.signal.aborted; n += 1) {
      const ids = Array.from({ length: 10 }, (_, index) => `o-${n}-${index}`);
      await eventually(90_000, async () => {
        const { status } = await bench.post(lines(ids), { type: 'application/x-ndjson' });
        answers.set(status, (answers.get(status) ?? 0) + 1);
        return status === 200 ? true : undefined;
      });
      accepted.push(...ids);
    }
  };
  const running = run();
  return {
    answers,
    accepted,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

test.each(['kafka', 'redis', 'postgres'] as const)(
  'a killed and restarted %s delays usage at most: every accepted event is stored once, and only 200 and 503 are said',
  async (server) => {
    bench = await createDoorBench(`outage_${server}`, { nowMs: NOW_MS, ackTimeoutMs: 2_000 });
    const producer = startProducer();
    await eventually(30_000, () => (producer.accepted.length > 200 ? true : undefined));
    const pid = stack.pid(server);
    process.kill(pid ?? Number.NaN, 'SIGKILL');
    await eventually(20_000, () => (stack.pid(server) === pid ? undefined : true));
    await stack.untilReady(server);
    const before = producer.accepted.length;
    await eventually(60_000, () => (producer.accepted.length > before + 200 ? true : undefined));
    await producer.stop();
    expect([...producer.answers.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    await bench.ingest.startSink();
    await bench.ingest.untilCaughtUp(60_000);
    const count = String(producer.accepted.length);
    expect(await bench.ingest.fetchTotals()).toEqual({ events: count, quantity: count });
  },
  180_000,
);

describe('a broker that stops acknowledging', () => {
  const BUDGET_BYTES = INTAKE_LIMITS.bytesInFlightMax;
  const TIME = new Date(NOW_MS).toISOString();
  const name = (kind: string, count: number) => (n: number) =>
    Array.from({ length: count }, (_, index) => `${kind}-${n}-${index}`);
  const large = name('large', 16);
  const small = name('small', INTAKE_LIMITS.eventsMax);
  /** Four budgets in requests of nearly a mebibyte, and four in requests of a thousand small events; some more warm it up. */
  const WARM = 16;
  const LARGE = WARM + 4 * 64;
  const SMALL = WARM + 4 * 100;
  /**
   * What is held costs its bytes, a copy while chunks become one body, and what has not been collected or given back yet.
   * Measured: 1. Without a budget: 6 to 8.
   */
  const GROWTH_MAX_BYTES = 3 * BUDGET_BYTES;

  test('costs senders a 503 that says when to come back, and the door no memory beyond its budget; then all of it passes', async () => {
    bench = await createDoorBench('memory', { nowMs: NOW_MS });
    const key = await bench.createKey({ source: '/cell/1', accounts: 'all', eventsPerSecond: 1_000_000 });
    const { child, url } = await startDoorProcess(bench, (one) => children.push(one));
    const acknowledged: string[] = [];
    const send = async (batch: Batch) => {
      const answer = await postBatch(url, key, batch);
      if (answer.status === 200) acknowledged.push(...batch.ids);
      return answer;
    };
    const batches = [
      ...Array.from({ length: LARGE }, (_, n) => createLargeBatch(large(n), TIME)),
      ...Array.from({ length: SMALL }, (_, n) => createSmallBatch(small(n), TIME)),
    ];
    const [warm, cold] = [[...batches.slice(0, WARM), ...batches.slice(-WARM)], batches.slice(WARM, -WARM)];
    // From here on it has the code and the heap of a door that works.
    for (const batch of warm) expect((await send(batch)).status).toBe(200);
    const before = readMemory(child.pid);

    const broker = stack.pid('kafka') ?? Number.NaN;
    process.kill(broker, 'SIGSTOP');
    let answers: FloodAnswer[];
    try {
      answers = await Promise.all(cold.map(send));
    } finally {
      process.kill(broker, 'SIGCONT');
    }
    const said = answers.map(({ status, code, message, retryAfter }) => `${status} ${code} ${message} ${retryAfter}`);
    expect(new Set(said)).toEqual(
      new Set([
        '503 OVERLOADED too many requests wait for the broker 2',
        '503 NOT_ACKNOWLEDGED the broker did not acknowledge in time 2',
      ]),
    );
    expect(readMemory(child.pid).peakBytes - before.rssBytes).toBeLessThan(GROWTH_MAX_BYTES);

    // Those who were refused come again.
    for (const batch of [...cold.slice(0, 16), ...cold.slice(-16)]) {
      await eventually(60_000, async () => ((await send(batch)).status === 200 ? true : undefined));
    }
    expect(acknowledged).toHaveLength(2 * WARM * (16 + INTAKE_LIMITS.eventsMax));
    const health = await fetch(`${url}/health`);
    expect([health.status, await health.json()]).toEqual([200, expect.objectContaining({ bytesInFlight: 0 })]);
    await bench.ingest.startSink();
    await bench.ingest.untilCaughtUp(60_000);
    const rows = await bench.ingest.databases.clickhouse.query<{ id: string }>('SELECT id FROM usage_events_v1 FINAL');
    const stored = new Set(rows.map(({ id }) => id));
    expect(stored.size).toBe(rows.length);
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
  }, 240_000);
});
