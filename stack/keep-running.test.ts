import { afterEach, expect, test } from 'vitest';
import { computePauseMs, keepRunning, type Kept } from './keep-running.ts';
import { createLeash } from './leash.ts';
import { eventually } from './testing/eventually.ts';

const leash = createLeash();
const silent = (): void => undefined;
let kept: Kept | undefined;

afterEach(async () => kept?.stop(0));

test('the pause before a restart doubles up to a ceiling', () => {
  expect([0, 1, 2, 3, 7, 20].map(computePauseMs)).toEqual([100, 100, 200, 400, 5_000, 5_000]);
});

test('a program that ends is started again', async () => {
  const log: string[] = [];
  const program = { command: 'sh', args: ['-c', 'exit 3'] };
  kept = keepRunning({ name: 'fails', program, leash, output: 'pipe', log: (line) => log.push(line) });
  await eventually(5_000, () => ((kept?.restarts ?? 0) >= 2 ? true : undefined));
  expect(log[0]).toBe('fails ended (code 3); starting it again in 100 ms');
});

test('a program that is not there counts as a failure, not as a crash of the supervisor', async () => {
  const log: string[] = [];
  const program = { command: '/no/such/program', args: [] };
  kept = keepRunning({ name: 'absent', program, leash, output: 'pipe', log: (line) => log.push(line) });
  await eventually(5_000, () => ((kept?.restarts ?? 0) >= 1 ? true : undefined));
  expect(log[0]).toContain('absent ended');
});

test('a program deaf to SIGTERM is killed after the grace, and stays down', async () => {
  const program = { command: 'sh', args: ['-c', 'trap "" TERM; echo deaf; while :; do sleep 1; done'] };
  let said = '';
  kept = keepRunning({
    name: 'deaf',
    program,
    leash,
    output: 'pipe',
    log: silent,
    onStart: (child) => child.stdout?.on('data', (chunk: Buffer) => (said += chunk.toString())),
  });
  await eventually(5_000, () => (said.includes('deaf') ? true : undefined));
  await kept.stop(100);
  expect(kept.pid).toBeUndefined();
  expect(kept.restarts).toBe(0);
});
