// Keeps the product's processes running, for `dev` and the demo.
// Promises: a crashed process is started again; a stopped one is not; none outlives this process, also when it is killed by SIGKILL.
import { createInterface } from 'node:readline';
import { keepRunning, type Kept } from './keep-running.ts';
import { createLeash } from './leash.ts';
import { nodeArguments } from './node-arguments.ts';

export type ProcessSpec = { name: string; file: string; args?: readonly string[]; env?: Record<string, string> };

type Options = {
  /** Every line that a process prints; by default it goes to standard error with the process' name in front. */
  onLine?: (name: string, line: string) => void;
  /** What this supervisor itself says: ends, restarts, giving up. */
  log?: (line: string) => void;
  /** Called when a process failed ten times in a row and stays down. */
  onGiveUp?: (name: string, reason: string) => void;
  graceMs?: number;
};

export type Processes = {
  /** The living process of that name; undefined for a moment after a crash. */
  pid: (name: string) => number | undefined;
  restarts: (name: string) => number;
  /** SIGTERM, then SIGKILL after the grace; with a name, that one alone. */
  stop: (name?: string) => Promise<void>;
};

/** Starts one Node process per spec and keeps them running until `stop`. */
export function superviseProcesses(specs: readonly ProcessSpec[], options: Options = {}): Processes {
  const { log = console.error, graceMs = 10_000 } = options;
  const width = Math.max(...specs.map(({ name }) => name.length));
  const onLine = options.onLine ?? ((name: string, line: string) => console.error(`${name.padEnd(width)} | ${line}`));
  const leash = createLeash();
  const kept = new Map<string, Kept>();

  for (const { name, file, args = [], env = {} } of specs) {
    const program = { command: process.execPath, args: [...nodeArguments, file, ...args], env };
    const one = keepRunning({
      name,
      program,
      leash,
      output: 'pipe',
      log,
      onStart: (child) => {
        for (const stream of [child.stdout, child.stderr]) {
          if (stream !== null) createInterface({ input: stream }).on('line', (line) => onLine(name, line));
        }
      },
      onGiveUp: (reason) => options.onGiveUp?.(name, reason),
    });
    kept.set(name, one);
  }

  function find(name: string): Kept {
    const one = kept.get(name);
    if (one === undefined) throw new Error(`no process "${name}" is supervised here`);
    return one;
  }

  async function stop(name?: string): Promise<void> {
    const those = name === undefined ? [...kept.values()] : [find(name)];
    await Promise.all(those.map(async (one) => one.stop(graceMs)));
    if (name === undefined) leash.release();
  }

  return { pid: (name) => find(name).pid, restarts: (name) => find(name).restarts, stop };
}
