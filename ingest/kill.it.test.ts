// kill -9 of the sink's process in the middle of a stream.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { eventually } from '../stack/testing/eventually.ts';
import { createIngestBench, usageRecord, type IngestBench } from './testing/bench.ts';
import { startEventStream } from './testing/stream.ts';

const BASE_MS = Date.UTC(2026, 9, 3, 12);
const MAIN = new URL('./main.ts', import.meta.url).pathname;

let bench: IngestBench;
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await bench.close();
});

function startProcess(): ChildProcess {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ...bench.variables,
      TRUEUP_LOG_LEVEL: process.env['TRUEUP_TEST_LOG'] ?? 'error',
    },
  });
  children.push(child);
  return child;
}

test('kill -9 of the sink in the middle of a stream loses nothing and doubles nothing', async () => {
  bench = await createIngestBench('kill', 4);
  const stream = startEventStream(bench, BASE_MS);
  const first = startProcess();
  const blocksWhenKilled = await eventually(30_000, async () => {
    const { length } = await bench.fetchBlocks();
    return length >= 3 ? length : undefined;
  });
  first.kill('SIGKILL');
  await once(first, 'exit');
  startProcess();
  await eventually(40_000, async () => ((await bench.fetchBlocks()).length > blocksWhenKilled + 3 ? true : undefined));
  const sent = await stream.stop();
  await bench.untilCaughtUp();
  expect(await bench.fetchTotals()).toEqual({ events: String(sent), quantity: String(sent) });
}, 120_000);

test('SIGTERM ends the process cleanly while it waits for a topic that is not there', async () => {
  bench = await createIngestBench('term', 1);
  const child = startProcess();
  await bench.send([usageRecord(1, { atMs: BASE_MS })]);
  await bench.untilCaughtUp();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});
