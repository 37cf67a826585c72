// Starts children that can't outlive this process.
// Promises: when this process ends, also by SIGKILL, its children and their process groups are killed: on Linux by the kernel's parent-death
// signal, and everywhere by a watcher shell that holds the other end of a pipe. Either alone would leave a gap: the signal reaches one
// process and not its group, and is lost when a program changes its user; the watcher itself could be killed.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

export type Program = { command: string; args: readonly string[]; cwd?: string; env?: Record<string, string> };
type Output = 'pipe' | number;

export type Leash = {
  /** Starts a program in a process group of its own; standard output and error go to `output`. */
  start: (program: Program, output: Output) => ChildProcess;
  /** Lets the watcher go. Call it when no child is left. */
  release: () => void;
};

let parentDeathSignal: boolean | undefined;

function hasParentDeathSignal(): boolean {
  parentDeathSignal ??=
    process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0;
  return parentDeathSignal;
}

/** `program` wrapped so that the kernel kills it with its parent, where the machine can do that. */
export function withParentDeathSignal(program: Program): Program {
  if (!hasParentDeathSignal()) return program;
  return { ...program, command: 'setpriv', args: ['--pdeathsig', 'KILL', program.command, ...program.args] };
}

/** Creates a leash with its own watcher; a killed watcher is replaced and told about all living children. */
export function createLeash(): Leash {
  const groups = new Set<number>();
  let released = false;
  let watcher = startWatcher();

  function startWatcher(): ChildProcess {
    // In a session of its own: Ctrl-C and a closing terminal must not take it away before its owner.
    const child = spawn('sh', [join(import.meta.dirname, 'leash.sh')], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    child.stdin?.on('error', () => undefined);
    child.on('exit', () => {
      if (released) return;
      watcher = startWatcher();
      for (const group of groups) tell('+', group);
    });
    child.unref();
    return child;
  }

  function tell(sign: '+' | '-', group: number): void {
    watcher.stdin?.write(`${sign} ${group}\n`);
  }

  function start(program: Program, output: Output): ChildProcess {
    const { command, args, cwd, env } = withParentDeathSignal(program);
    const child = spawn(command, args, {
      stdio: ['ignore', output, output],
      detached: true,
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
    });
    const { pid } = child;
    if (pid === undefined) return child;
    groups.add(pid);
    tell('+', pid);
    child.on('exit', () => {
      groups.delete(pid);
      tell('-', pid);
    });
    return child;
  }

  function release(): void {
    released = true;
    watcher.stdin?.end();
  }

  return { start, release };
}
