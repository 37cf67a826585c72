// Keeps one program running: starts it again when it ends, with a growing pause.
// Promises: the same command on every start; ten quick failures in a row end in `onGiveUp`, loudly; after `stop` it never starts again.
// A SIGKILL comes from outside (a test, the kernel) and says nothing against the program: it never counts as a failure.
// When it dies: the leash takes the program along.
import type { ChildProcess } from 'node:child_process';
import type { Leash, Program } from './leash.ts';

const quickMs = 10_000;
const mostQuickFailures = 10;
const firstPauseMs = 100;
const longestPauseMs = 5_000;

export type Kept = {
  /** The living process, undefined between two lives. */
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly gaveUp: boolean;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
  stop: (graceMs: number) => Promise<void>;
};

type Options = {
  name: string;
  program: Program;
  leash: Leash;
  output: 'pipe' | number;
  log: (line: string) => void;
  onStart?: (child: ChildProcess, restarts: number) => void;
  onGiveUp?: (reason: string) => void;
};

/** The pause before the next start: doubled with each quick failure, so that a broken server doesn't burn the machine. */
export function computePauseMs(quickFailures: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, quickFailures - 1));
}

/** Starts the program now and again whenever it ends. */
export function keepRunning(options: Options): Kept {
  const { name, program, leash, log } = options;
  let child: ChildProcess | undefined;
  let pause: NodeJS.Timeout | undefined;
  let restarts = 0;
  let quickFailures = 0;
  let state: 'kept' | 'stopping' | 'gave up' = 'kept';
  let whenGone: (() => void) | undefined;

  function start(): void {
    const startedAtMs = performance.now();
    let ended = false;
    const started = leash.start(program, options.output);
    child = started;
    // A program that can't be started reports 'error' and no 'exit'; one that ran reports 'exit'.
    const onEnd = (how: string): void => {
      if (ended) return;
      ended = true;
      child = undefined;
      ranFor(performance.now() - startedAtMs, how);
    };
    started.on('error', (error) => onEnd(error.message));
    started.on('exit', (code, signal) => onEnd(signal ?? `code ${code}`));
    options.onStart?.(started, restarts);
  }

  function ranFor(elapsedMs: number, how: string): void {
    whenGone?.();
    if (state !== 'kept') return;
    quickFailures = elapsedMs < quickMs && how !== 'SIGKILL' ? quickFailures + 1 : 0;
    if (quickFailures >= mostQuickFailures) {
      state = 'gave up';
      log(`${name} ended ${quickFailures} times within seconds of its start (${how}); giving up`);
      options.onGiveUp?.(how);
      return;
    }
    const pauseMs = computePauseMs(quickFailures);
    log(`${name} ended (${how}); starting it again in ${pauseMs} ms`);
    pause = setTimeout(() => {
      restarts += 1;
      start();
    }, pauseMs);
  }

  async function stop(graceMs: number): Promise<void> {
    if (state === 'kept') state = 'stopping';
    clearTimeout(pause);
    const running = child;
    if (running === undefined) return;
    await new Promise<void>((resolve) => {
      const kill = setTimeout(() => running.kill('SIGKILL'), graceMs);
      whenGone = () => {
        clearTimeout(kill);
        resolve();
      };
      running.kill(graceMs === 0 ? 'SIGKILL' : 'SIGTERM');
    });
  }

  start();
  return {
    get pid() {
      return child?.pid;
    },
    get restarts() {
      return restarts;
    },
    get gaveUp() {
      return state === 'gave up';
    },
    stop,
  };
}
