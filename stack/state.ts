// What a stack is, as one JSON file: written by its supervisor only, read by `npm run stack`, tests and the next start of the same name.
// When its writer dies: the file stays and its supervisor's pid is dead, which readers take as "down".
import { readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { removeData } from './remove-data.ts';
import type { Addresses, Ports, ServerName } from './servers/server.ts';

export type Choice = 'native' | 'docker' | 'given';

export type ServerState = {
  choice: Choice;
  addresses: Addresses;
  ports: Ports;
  dataDir: string;
  logFile: string;
  restarts: number;
  pid?: number;
};

export type StackState = {
  name: string;
  folder: string;
  phase: 'starting' | 'up' | 'stopping' | 'down';
  /** False after `npm run stack -- up`: the supervisor lives on without its owner. */
  owned: boolean;
  keepData: boolean;
  supervisorPid: number;
  ownerPid: number;
  env: Addresses;
  servers: Partial<Record<ServerName, ServerState>>;
};

const checkout = dirname(import.meta.dirname);

/** `.stack/` in the checkout: one folder per stack. */
export const stacksFolder = join(checkout, '.stack');

export function stackFolder(name: string): string {
  return join(stacksFolder, name);
}

export function readState(folder: string): StackState | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, 'stack.json'), 'utf8')) as StackState;
  } catch {
    return undefined; // no such stack, or not written yet
  }
}

/** Replaces the state file in one step, so that readers never see half of it. */
export function writeState(state: StackState): void {
  const path = join(state.folder, 'stack.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** All stacks of this checkout that ever started, by folder. */
export function readStates(): StackState[] {
  let names: string[] = [];
  try {
    names = readdirSync(stacksFolder);
  } catch {
    return [];
  }
  return names.flatMap((name) => readState(join(stacksFolder, name)) ?? []);
}

/** True while the supervisor lives; a recycled pid doesn't count where /proc tells. */
export function isAlive(state: StackState): boolean {
  try {
    process.kill(state.supervisorPid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${state.supervisorPid}/cmdline`, 'utf8').includes('supervisor.ts');
  } catch {
    return process.platform !== 'linux';
  }
}

const logsAreKeptMs = 86_400_000;

/** Removes what stacks that were killed outright left behind: their throw-away data at once, their logs a day later. */
export function sweepDeadStacks(): void {
  for (const state of readStates()) {
    if (state.keepData || isAlive(state)) continue;
    for (const { dataDir } of Object.values(state.servers)) {
      if (dataDir !== '') removeData(dataDir);
    }
    const written = statSync(join(state.folder, 'stack.json'), { throwIfNoEntry: false });
    const old = written !== undefined && Date.now() - written.mtimeMs > logsAreKeptMs;
    if (old) rmSync(state.folder, { recursive: true, force: true });
  }
}
