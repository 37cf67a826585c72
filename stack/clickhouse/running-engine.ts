/**
 * Starts the interface as a process of its own, for tests that kill it, fill it and cut its connections.
 * A folder made here is removed by stop(); after kill() it stays, to be opened again.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeArguments } from '../node-arguments.ts';
import { removeData } from '../remove-data.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const STARTED = /http:\/\/127\.0\.0\.1:(\d+)/;

export interface RunningEngine {
  readonly url: string;
  readonly folder: string;
  readonly process: ChildProcess;
  /** Ends the process with a signal; gives its exit code, null when it was killed. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  /** Ends the process and removes the folder. */
  remove(): Promise<void>;
}

export async function startEngine(folder?: string, args: readonly string[] = []): Promise<RunningEngine> {
  const path = folder ?? (await mkdtemp(join(tmpdir(), 'trueup-clickhouse-')));
  const child = spawn(process.execPath, [...nodeArguments, MAIN, '--port', '0', '--path', path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    return child.exitCode;
  };
  const remove = async (): Promise<void> => {
    await end('SIGKILL');
    removeData(path);
  };
  const port = await new Promise<string>((resolve, reject) => {
    const read = (data: Buffer): void => {
      printed += data.toString();
      const found = STARTED.exec(printed)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`the engine ended with code ${code}: ${printed}`)));
  }).catch(async (error: unknown) => {
    if (folder === undefined) await remove();
    throw error;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    folder: path,
    process: child,
    end,
    remove,
  };
}

/** Sends one statement as curl would, and gives status, headers and text. */
export async function ask(
  url: string,
  sql: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const query = new URLSearchParams(parameters).toString();
  const response = await fetch(`${url}/?${query}`, { method: 'POST', body: sql });
  return { status: response.status, text: await response.text(), headers: response.headers };
}
