// Servers that die under a running sink. They are this file's own: nobody else's tests may notice.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startStack, type Stack } from '../stack/stack.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { createIngestBench, type IngestBench } from './testing/bench.ts';
import { startEventStream } from './testing/stream.ts';

const BASE_MS = Date.UTC(2026, 9, 3, 12);

let stack: Stack;
let bench: IngestBench;
beforeAll(async () => {
  const servers = ['kafka', 'clickhouse', 'postgres'] as const;
  stack = await startStack({ name: `ingest-outage-${process.pid}`, servers, ignoreGiven: true, log: () => undefined });
  Object.assign(process.env, stack.env);
});
afterAll(async () => stack.stop());
afterEach(async () => bench.close());

async function killServer(server: 'kafka' | 'clickhouse' | 'postgres'): Promise<void> {
  const pid = stack.pid(server);
  if (pid === undefined) throw new Error(`${server} is not running`);
  process.kill(pid, 'SIGKILL');
  await eventually(10_000, () => (stack.pid(server) === pid ? undefined : true));
  await stack.untilReady(server);
}

test.each(['clickhouse', 'postgres', 'kafka'] as const)(
  'a killed and restarted %s is waited out: nothing is lost and nothing doubled',
  async (server) => {
    bench = await createIngestBench(`outage_${server}`, 3);
    const sink = await bench.startSink();
    let failure: unknown;
    sink.failed.catch((error: unknown) => {
      failure = error;
    });
    const stream = startEventStream(bench, BASE_MS);
    const countBlocks = async () => (await bench.fetchBlocks()).length;
    await eventually(20_000, async () => ((await countBlocks()) > 2 ? true : undefined));
    await killServer(server);
    const before = await eventually(20_000, countBlocks);
    await eventually(60_000, async () => ((await countBlocks()) > before + 2 ? true : undefined));
    const sent = await stream.stop();
    await bench.untilCaughtUp(60_000);
    expect(await bench.fetchTotals()).toEqual({ events: String(sent), quantity: String(sent) });
    expect(failure).toBeUndefined();
  },
  180_000,
);
