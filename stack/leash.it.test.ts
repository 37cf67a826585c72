import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withParentDeathSignal } from './leash.ts';
import { eventually, processLives } from './testing/eventually.ts';

// Two mechanisms hold the leash; each is tried without the other.

test('the watcher kills the process groups it knows when its owner’s end of the pipe closes, and no others', async () => {
  const sleepers = [0, 1].map(() => spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }).pid ?? 0);
  const [kept = 0, killed = 0] = sleepers;
  const watcher = spawn('sh', [join(import.meta.dirname, 'leash.sh')], { stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.stdin.end(`+ ${kept}\n+ ${killed}\n- ${kept}\n`);
  await eventually(5_000, () => (processLives(killed) ? undefined : true));
  expect(processLives(kept)).toBe(true);
  process.kill(kept, 'SIGKILL');
});

test('the kernel kills a child whose parent was killed outright', async () => {
  const { command, args } = withParentDeathSignal({ command: 'sleep', args: ['60'] });
  const script = `const child = require('node:child_process').spawn(${JSON.stringify(command)}, ${JSON.stringify(args)}, { detached: true, stdio: 'ignore' });
    console.log(child.pid); setInterval(() => {}, 1000)`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))),
  );
  expect(processLives(pid)).toBe(true);
  parent.kill('SIGKILL');
  await eventually(5_000, () => (processLives(pid) ? undefined : true));
});
