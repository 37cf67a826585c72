// One native server under the supervisor: its ports, its data folder, its log, its restarts.
import { createHash } from 'node:crypto';
import { mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepRunning } from './keep-running.ts';
import type { Leash } from './leash.ts';
import { reservePort } from './ports.ts';
import type { ServerSpec, StackSpec } from './protocol.ts';
import { untilAnswered } from './ready.ts';
import { servers } from './servers/table.ts';
import type { Ports, Server } from './servers/server.ts';
import type { ServerState, StackState } from './state.ts';
import { isReachableByOthers } from './users.ts';

export type RunningServer = { stop: (graceMs: number) => Promise<void>; answered: Promise<void> };

const mostRestartsBeforeAnswer = 3;

type Options = {
  server: ServerSpec;
  spec: StackSpec;
  /** Ports of the stack's last life: kept where they are free, so that a development stack keeps its addresses. */
  previousPorts: Ports;
  leash: Leash;
  state: StackState;
  log: (line: string) => void;
  changed: () => void;
  isStopping: () => boolean;
};

/** Starts a server; `answered` settles when it has answered or can't. */
export async function startServer(options: Options): Promise<RunningServer> {
  const { spec, log, changed, state } = options;
  const { name, installed } = options.server;
  const server = servers[name];
  const startedAtMs = performance.now();
  const { ports, release } = await reservePorts(server, options.previousPorts);
  const dataDir = makeDataDir(spec, server);
  const logFile = join(spec.folder, 'logs', `${name}.log`);
  mkdirSync(join(spec.folder, 'logs'), { recursive: true });

  const addresses = server.addresses(ports, installed);
  const entry: ServerState = { choice: 'native', addresses, ports, dataDir, logFile, restarts: 0 };
  const program = await server.start({ dataDir, ports, installed });
  await release();
  state.servers[name] = entry;
  const kept = keepRunning({
    name,
    program,
    leash: options.leash,
    output: openSync(logFile, spec.keepData ? 'a' : 'w'),
    log,
    onStart: (child, restarts) => {
      if (child.pid === undefined) delete entry.pid;
      else entry.pid = child.pid;
      entry.restarts = restarts;
      changed();
    },
  });
  const answered = untilAnswered(async () => server.ready(addresses), {
    name,
    withinMs: server.readyWithinMs,
    where: () => `${logFile}\n${lastLines(logFile)}`,
    next: `read its log: npm run stack -- logs ${name} ${spec.name}`,
    // A server that never answered and ended several times won't get better by waiting.
    gaveUp: () => kept.restarts >= mostRestartsBeforeAnswer || options.isStopping(),
  }).then(() => {
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    log(`${name.padEnd(13)} native   ${addresses[server.variables[0]] ?? ''}  ready in ${seconds} s`);
  });
  return { stop: kept.stop, answered };
}

async function reservePorts(server: Server, previous: Ports): Promise<{ ports: Ports; release: () => Promise<void> }> {
  const reservations = await Promise.all(server.ports.map(async (port) => reservePort(previous[port])));
  const ports = Object.fromEntries(server.ports.map((port, index) => [port, reservations[index]?.port ?? 0]));
  return { ports, release: async () => void (await Promise.all(reservations.map(async (one) => one.release()))) };
}

/** Below the stack's data folder, unless the server runs as a user who can't get there. */
function makeDataDir(spec: StackSpec, server: Server): string {
  const usual = join(spec.dataDir, server.name);
  const hash = createHash('sha256').update(usual).digest('hex').slice(0, 12);
  const elsewhere = join(tmpdir(), `trueup-${hash}-${server.name}`);
  if (!spec.keepData) for (const old of [usual, elsewhere]) rmSync(old, { recursive: true, force: true });
  mkdirSync(usual, { recursive: true });
  const changesUser = server.name === 'postgres' && process.getuid?.() === 0;
  if (!changesUser || isReachableByOthers(usual)) return usual;
  mkdirSync(elsewhere, { recursive: true });
  return elsewhere;
}

function lastLines(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-8);
  return lines.map((line) => `    ${line.slice(0, 200)}`).join('\n');
}
