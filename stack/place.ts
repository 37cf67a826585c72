// Where a server of a stack lives: its ports, its data folder, its log.
// Promises: all servers of a stack have their places before the first one starts, so that each may be told of the others.
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reservePort } from './ports.ts';
import type { ServerSpec, StackSpec } from './protocol.ts';
import { removeData } from './remove-data.ts';
import type { Ports, Server } from './servers/server.ts';
import { servers } from './servers/table.ts';
import type { ServerState } from './state.ts';
import { isReachableByOthers } from './users.ts';

/** `release` frees the ports for the server that is about to start. */
export type Place = { entry: ServerState; release: () => Promise<void> };

/** `previousPorts` of the stack's last life are kept where they are free, so that a development stack keeps its addresses. */
export async function takePlace(one: ServerSpec, spec: StackSpec, previousPorts: Ports): Promise<Place> {
  const server = servers[one.name];
  const { ports, release } = await reservePorts(server, previousPorts);
  const native = one.choice === 'native';
  const logs = join(spec.folder, 'logs');
  mkdirSync(logs, { recursive: true });
  const entry = {
    choice: one.choice,
    addresses: server.addresses(ports, one.installed),
    ports,
    // A container keeps its data in a volume, but reads the configuration that is written here.
    dataDir: native || server.configure !== undefined ? makeDataDir(spec, server) : '',
    logFile: native ? join(logs, `${one.name}.log`) : '',
    restarts: 0,
  };
  return { entry, release };
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
  if (!spec.keepData) for (const old of [usual, elsewhere]) removeData(old);
  mkdirSync(usual, { recursive: true });
  const changesUser = server.name === 'postgres' && process.getuid?.() === 0;
  if (!changesUser || isReachableByOthers(usual)) return usual;
  mkdirSync(elsewhere, { recursive: true });
  return elsewhere;
}
