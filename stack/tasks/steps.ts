// Runs the tools of node_modules/.bin as steps of a task.
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';

export const checkout = dirname(dirname(import.meta.dirname));

export type Step = { code: number; output: string; seconds: string };

/** Runs a tool on the Node of this process. With `show`, its output goes to the terminal as it comes; else it is returned. */
export async function runTool(
  tool: readonly [string, ...string[]],
  show: boolean,
  env: Record<string, string> = {},
): Promise<Step> {
  const [name, ...args] = tool;
  // The tools are scripts that look for "node": it must be the one of the lock file.
  const bin = join(checkout, 'node_modules', '.bin');
  const startedAtMs = performance.now();
  return new Promise((resolve) => {
    const child = spawn(join(bin, name), args, {
      cwd: checkout,
      stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
      env: { ...process.env, ...env, ...colours(), PATH: bin + delimiter + (process.env['PATH'] ?? '') },
    });
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const end = (code: number): void =>
      resolve({ code, output, seconds: ((performance.now() - startedAtMs) / 1000).toFixed(1) });
    child.on('error', (error) => {
      output += error.message;
      end(127);
    });
    child.on('close', (code) => end(code ?? 128));
  });
}

/** No colour codes in files and pipes, whatever a tool believes about its surroundings. */
function colours(): Record<string, string> {
  return process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1', FORCE_COLOR: '0' };
}
