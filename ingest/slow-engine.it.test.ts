// An engine ten times slower than it is: the sink holds back instead of growing, says how far it is behind, and catches
// up when the engine is itself again.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { startHttpProxy, type HttpProxy } from '../fixtures/torture/http-proxy.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { createIngestBench, usageRecord, type IngestBench } from './testing/bench.ts';

const MAIN = new URL('./main.ts', import.meta.url).pathname;
const BASE_MS = Date.UTC(2026, 9, 3, 12);
const PARTITIONS = 4;
const EVENTS = 240_000;
/** Below the topic's limit of 1 MB a batch and partition. */
const PER_SEND = 2_000;
/** Together 300 MB, several times what a sink may hold, so that holding back is what keeps it small. */
const PADDING = 'x'.repeat(1_024);
/** What a sink may add to what it takes at rest: what it holds, the rows built from it, and one fetch. */
const GROWTH_MIB_MAX = 250;

let bench: IngestBench;
let proxy: HttpProxy;
let sinks: ChildProcess[] = [];

afterEach(async () => {
  for (const sink of sinks) sink.kill('SIGKILL');
  sinks = [];
  await Promise.all([proxy.close(), bench.close()]);
});

type BlockLine = { msg: string; lag: number };

function startSink(onBlock: (line: BlockLine) => void): ChildProcess {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ...bench.variables,
      TRUEUP_CLICKHOUSE_URL: proxy.url,
      TRUEUP_LOG_LEVEL: 'info',
    },
  });
  createInterface({ input: child.stderr }).on('line', (text) => {
    const line = text.startsWith('{') ? (JSON.parse(text) as BlockLine) : undefined;
    if (line?.msg === 'block stored') onBlock(line);
  });
  sinks.push(child);
  return child;
}

function residentMib({ pid }: ChildProcess): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

async function send(from: number, count: number): Promise<void> {
  for (let start = from; start < from + count; start += PER_SEND) {
    const size = Math.min(PER_SEND, from + count - start);
    await bench.send(
      Array.from({ length: size }, (_, n) =>
        usageRecord(start + n, { atMs: BASE_MS + (start + n), attributes: { padding: PADDING } }),
      ),
    );
  }
}

test('a sink behind an engine slowed tenfold stays small, shows its lag, loses nothing and catches up', async () => {
  bench = await createIngestBench('slow_engine', PARTITIONS);
  proxy = await startHttpProxy(bench.databases.clickhouseUrl);
  const idle = startSink(() => undefined);
  await send(0, PER_SEND);
  await bench.untilCaughtUp(60_000);
  const atRestMib = residentMib(idle);
  idle.kill('SIGTERM');
  await once(idle, 'exit');

  await send(PER_SEND, EVENTS - PER_SEND);
  proxy.slowDown(10);
  const lags: number[] = [];
  let peakMib = 0;
  const sink = startSink((line) => {
    lags.push(line.lag);
    peakMib = Math.max(peakMib, residentMib(sink));
  });
  // It says so while it is behind, block after block.
  await eventually(60_000, () => (lags.filter((lag) => lag > PER_SEND).length >= 4 ? true : undefined));
  await bench.untilCaughtUp(240_000);

  expect(await bench.fetchTotals()).toEqual({ events: String(EVENTS), quantity: String(EVENTS) });
  expect(lags.at(-1)).toBeLessThan(PER_SEND);
  expect(peakMib - atRestMib).toBeLessThan(GROWTH_MIB_MAX);
  console.log(
    `slow engine: ${Math.round(atRestMib)} MiB at rest, ${Math.round(peakMib)} MiB at most, lag up to ${Math.max(...lags)}`,
  );
}, 300_000);
