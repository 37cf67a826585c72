// One process per stack: owns its servers, ports and data folder.
// Promises: a server that ends is started again on the same port and data; nothing is left when this process ends, whichever way.
// When it dies: the leash kills the servers. When its owner dies: it stops them itself and ends, unless the stack was started with `up`.
import { formatProblem, StackError } from './errors.ts';
import { createLeash } from './leash.ts';
import { takePlace, type Place } from './place.ts';
import type { FromSupervisor, ServerSpec, StackSpec, ToSupervisor } from './protocol.ts';
import { removeData } from './remove-data.ts';
import { startServer, type RunningServer } from './running-server.ts';
import { readState, writeState, type StackState } from './state.ts';

/** What is thrown away needs no goodbye. */
const graceMs = { kept: 15_000, thrownAway: 0 };

function send(message: FromSupervisor): void {
  console.log(message.type === 'log' ? message.line : JSON.stringify(message));
  if (process.connected) process.send?.(message);
}

function supervise(spec: StackSpec): { stop: () => Promise<void> } {
  const { name, folder, owned, ownerPid, keepData } = spec;
  const leash = createLeash();
  const running: { stop: RunningServer['stop'] }[] = [];
  const before = readState(folder);
  const state: StackState = {
    name,
    folder,
    owned,
    ownerPid,
    keepData,
    phase: 'starting',
    supervisorPid: process.pid,
    env: {},
    servers: {},
  };
  let stopping: Promise<void> | undefined;
  const log = (line: string): void => send({ type: 'log', line });
  const changed = (): void => writeState(state);
  const isStopping = (): boolean => stopping !== undefined;

  async function placeServer(server: ServerSpec): Promise<{ server: ServerSpec; place: Place }> {
    const place = await takePlace(server, spec, before?.servers[server.name]?.ports ?? {});
    state.servers[server.name] = place.entry;
    return { server, place };
  }

  async function startNative(one: { server: ServerSpec; place: Place }): Promise<void> {
    const started = await startServer({ ...one, spec, leash, state, log, changed, isStopping });
    running.push(started);
    await started.answered;
  }

  async function startDocker(placed: readonly { server: ServerSpec; place: Place }[]): Promise<void> {
    if (placed.length === 0) return;
    const { startContainers } = await import('./docker.ts'); // loads a large library that native stacks don't need
    const containers = await startContainers(placed, { spec, state, log });
    running.push(containers);
  }

  async function start(): Promise<void> {
    changed();
    const chosen = (choice: string): ServerSpec[] => spec.servers.filter((server) => server.choice === choice);
    for (const { name, addresses } of chosen('given')) {
      state.servers[name] = { choice: 'given', addresses, ports: {}, dataDir: '', logFile: '', restarts: 0 };
    }
    const native = await Promise.all(chosen('native').map(placeServer));
    const inDocker = await Promise.all(chosen('docker').map(placeServer));
    const starting = [...native.map(startNative), startDocker(inDocker)];
    // All of them, so that no start is still under way when a failure stops the rest.
    const failed = (await Promise.allSettled(starting)).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    for (const server of Object.values(state.servers)) Object.assign(state.env, server.addresses);
    state.phase = 'up';
    changed();
    send({ type: 'ready', env: state.env });
  }

  async function end(): Promise<void> {
    state.phase = 'stopping';
    changed();
    await Promise.all(running.map(async (one) => one.stop(keepData ? graceMs.kept : graceMs.thrownAway)));
    leash.release();
    for (const { dataDir } of Object.values(state.servers)) {
      if (!keepData && dataDir !== '') removeData(dataDir);
    }
    state.phase = 'down';
    changed();
  }

  async function stop(): Promise<void> {
    stopping ??= started.catch(() => undefined).then(end);
    return stopping;
  }

  const started = start();
  started.catch(async (error: unknown) => {
    send({ type: 'failed', problem: problemOf(error) });
    await stop();
    process.exit(1);
  });
  return { stop };
}

function problemOf(error: unknown): { what: string; where: string; next: string } {
  if (error instanceof StackError) return { what: error.what, where: error.where, next: error.next };
  return { what: 'the stack failed', where: formatProblem(error), next: 'this is a bug of stack/: report those lines' };
}

let stack: { stop: () => Promise<void> } | undefined;
let owned = true;

function leave(): void {
  if (stack === undefined) process.exit(0);
  void stack.stop().then(() => process.exit(0));
}

process.on('message', (message: ToSupervisor) => {
  owned = message.spec.owned;
  stack ??= supervise(message.spec);
});
process.on('disconnect', () => {
  if (owned) leave();
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, leave);
