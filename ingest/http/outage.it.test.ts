// Servers that die under the door. They are this file's own: nobody else's tests may notice.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startStack, type Stack } from '../../stack/stack.ts';
import { eventually } from '../../stack/testing/eventually.ts';
import { createDoorBench, type DoorBench } from './testing/bench.ts';

const NOW_MS = Date.UTC(2026, 9, 3, 12);
const SERVERS = ['kafka', 'postgres', 'redis', 'clickhouse'] as const;

let stack: Stack;
let bench: DoorBench;
beforeAll(async () => {
  const name = `door-outage-${process.pid}`;
  stack = await startStack({ name, servers: SERVERS, ignoreGiven: true, log: () => undefined });
  Object.assign(process.env, stack.env);
});
afterAll(async () => stack.stop());
afterEach(async () => bench.close());

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
