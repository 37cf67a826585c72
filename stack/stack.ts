// Starts servers for a program: a demo, a test run, a development session.
// Promises: when `startStack` resolves, every server has answered a real request; `stop` leaves nothing running and, unless kept, no data.
// When the caller dies, its stack stops by itself; see supervisor.ts.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from './cache.ts';
import { StackError } from './errors.ts';
import type { FromSupervisor, ServerSpec, StackSpec, ToSupervisor } from './protocol.ts';
import { nodeArguments } from './node-arguments.ts';
import { untilAnswered } from './ready.ts';
import { servers } from './servers/table.ts';
import type { Addresses, ServerName, Settings } from './servers/server.ts';
import { isAlive, readState, stackFolder, sweepDeadStacks, type StackState } from './state.ts';

export type StackOptions = {
  /** Names the folder `.stack/<name>`; two living stacks of one checkout have different names. */
  name: string;
  servers: readonly ServerName[];
  /** Where the servers' data goes; `.stack/<name>/data` by default. */
  dataDir?: string;
  /** Keep data from the last start and for the next one. By default it is removed before and after. */
  keepData?: boolean;
  /** False: the stack lives on after this process. */
  owned?: boolean;
  /** Start own servers even where a TRUEUP_* variable names a running one. */
  ignoreGiven?: boolean;
  /** What single servers are to do otherwise than by default. */
  settings?: Settings;
  log?: Log;
};

export type Stack = {
  name: string;
  folder: string;
  /** The TRUEUP_* variables of all its servers. */
  env: Addresses;
  state: () => StackState;
  /** The living process of a native server; undefined for a moment after it died. */
  pid: (server: ServerName) => number | undefined;
  /** Resolves when the server answers again, after a test killed it. */
  untilReady: (server: ServerName) => Promise<void>;
  stop: () => Promise<void>;
};

const stopWithinMs = 30_000;
const givenWithinMs = 10_000;

/** Installs what is missing, starts the servers and waits for their answers. Rejects with a StackError that names the next step. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { log = console.error, owned = true, keepData = false, settings = {} } = options;
  const folder = stackFolder(options.name);
  await waitForFormerStack(folder, options.name);
  sweepDeadStacks();
  const dataDir = options.dataDir ?? join(folder, 'data');
  mkdirSync(folder, { recursive: true });

  const specs: ServerSpec[] = [];
  for (const name of options.servers) specs.push(await prepareServer(name, options.ignoreGiven ?? false, log));
  const spec = {
    name: options.name,
    folder,
    dataDir,
    owned,
    ownerPid: process.pid,
    keepData,
    settings,
    servers: specs,
  };
  const supervisor = startSupervisor(folder);
  const env = await untilUp(supervisor, spec, log);
  if (!owned) supervisor.disconnect();
  supervisor.channel?.unref();
  supervisor.unref();

  const state = (): StackState => {
    const now = readState(folder);
    if (now === undefined) throw new Error(`${folder}/stack.json is gone`);
    return now;
  };
  return {
    name: options.name,
    folder,
    env,
    state,
    pid: (server) => state().servers[server]?.pid,
    untilReady: async (server) => untilServerAnswers(server, env),
    stop: async () => stopSupervisor(supervisor),
  };
}

/** Where a server comes from: the user's variable, Docker, or a program installed here. */
async function prepareServer(name: ServerName, ignoreGiven: boolean, log: Log): Promise<ServerSpec> {
  const server = servers[name];
  const given = ignoreGiven ? {} : givenAddresses(server.variables);
  const [variable] = server.variables;
  if (given[variable] !== undefined) {
    await untilServerAnswers(name, given, givenWithinMs);
    log(`${name.padEnd(13)} given    by ${variable}`);
    return { name, choice: 'given', installed: {}, addresses: given };
  }
  if (process.env['TRUEUP_STACK'] === 'docker' && server.composeService !== undefined) {
    return { name, choice: 'docker', installed: {}, addresses: {} };
  }
  return { name, choice: 'native', installed: await server.install(log), addresses: {} };
}

function givenAddresses(variables: readonly string[]): Addresses {
  return Object.fromEntries(
    variables.flatMap((variable) => {
      const value = process.env[variable];
      return value === undefined || value === '' ? [] : [[variable, value]];
    }),
  );
}

async function untilServerAnswers(name: ServerName, addresses: Addresses, withinMs?: number): Promise<void> {
  const server = servers[name];
  const [variable] = server.variables;
  return untilAnswered(async () => server.ready(addresses), {
    name,
    withinMs: withinMs ?? server.readyWithinMs,
    where: variable,
    next: `start that server, or unset ${variable} to have one started here`,
  });
}

/** An interrupted run's stack may still be stopping; one in use is an error. */
async function waitForFormerStack(folder: string, name: string): Promise<void> {
  const deadlineMs = performance.now() + stopWithinMs;
  for (;;) {
    const former = readState(folder);
    if (former === undefined || !isAlive(former)) return;
    const leaving = former.phase === 'stopping' || (former.owned && !processLives(former.ownerPid));
    if (!leaving || performance.now() > deadlineMs) {
      throw new StackError({
        what: `the stack "${name}" is already up`,
        where: `${folder}, supervisor ${former.supervisorPid}`,
        next: `stop it: npm run stack -- down ${name}`,
      });
    }
    await pause(100);
  }
}

function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function startSupervisor(folder: string): ChildProcess {
  const output = openSync(join(folder, 'supervisor.log'), 'a');
  return spawn(process.execPath, [...nodeArguments, join(import.meta.dirname, 'supervisor.ts')], {
    stdio: ['ignore', output, output, 'ipc'],
    detached: true, // Ctrl-C is for the owner, who then stops us in good order
    cwd: folder,
  });
}

async function untilUp(supervisor: ChildProcess, spec: StackSpec, log: Log): Promise<Addresses> {
  return new Promise((resolve, reject) => {
    supervisor.on('message', (message: FromSupervisor) => {
      if (message.type === 'log') log(message.line);
      else if (message.type === 'ready') resolve(message.env);
      else reject(new StackError(message.problem));
    });
    supervisor.once('exit', (code, signal) => {
      reject(
        new StackError({
          what: `the supervisor of "${spec.name}" ended (${signal ?? `code ${code}`})`,
          where: join(spec.folder, 'supervisor.log'),
          next: 'read that file',
        }),
      );
    });
    const message: ToSupervisor = { type: 'start', spec };
    supervisor.send(message);
  });
}

async function stopSupervisor(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const kill = setTimeout(() => supervisor.kill('SIGKILL'), stopWithinMs);
    supervisor.ref();
    supervisor.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    supervisor.kill('SIGTERM');
  });
}
