import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { superviseProcesses, type Processes } from './processes.ts';
import { eventually, processLives } from './testing/eventually.ts';

const folder = join(import.meta.dirname, 'testing');
let processes: Processes | undefined;

afterEach(async () => processes?.stop());

test('a killed process is started again, and a stopped one is not', async () => {
  const lines: string[] = [];
  processes = superviseProcesses([{ name: 'ticker', file: join(folder, 'ticker.ts') }], {
    onLine: (_, line) => lines.push(line),
    log: () => undefined,
  });
  const { pid } = await eventually(5_000, () => {
    const pid = processes?.pid('ticker');
    return pid !== undefined && lines.includes(`pid ${pid}`) ? { pid } : undefined;
  });
  process.kill(pid, 'SIGKILL');
  const next = await eventually(5_000, () => {
    const now = processes?.pid('ticker');
    return now !== undefined && now !== pid && lines.includes(`pid ${now}`) ? now : undefined;
  });
  expect(processes.restarts('ticker')).toBe(1);
  await processes.stop('ticker');
  expect(processLives(next)).toBe(false);
  expect(processes.pid('ticker')).toBeUndefined();
});

test('processes die with a supervisor that is killed outright', async () => {
  const owner = spawn(process.execPath, [join(folder, 'ticker-owner.ts')], { stdio: ['ignore', 'pipe', 'ignore'] });
  const pids: number[] = [];
  createInterface({ input: owner.stdout }).on('line', (line) => pids.push(Number(line.replace('pid ', ''))));
  await eventually(10_000, () => (pids.length === 2 ? true : undefined));
  owner.kill('SIGKILL');
  await eventually(10_000, () => (pids.some(processLives) ? undefined : true));
});
