// Servers as containers, for TRUEUP_STACK=docker: the images and settings are those of compose.yaml.
// Promises: the same addresses and readiness as native servers; when this process dies, testcontainers' reaper removes the containers of a
// stack whose data is thrown away.
import { dirname } from 'node:path';
import { DockerComposeEnvironment, getContainerRuntimeClient } from 'testcontainers';
import { StackError } from './errors.ts';
import { reservePort } from './ports.ts';
import type { ServerSpec, StackSpec } from './protocol.ts';
import { untilAnswered } from './ready.ts';
import { servers } from './servers/table.ts';
import type { Ports } from './servers/server.ts';
import type { StackState } from './state.ts';

export type Containers = { stop: () => Promise<void> };

const startWithinMs = 300_000; // a first start downloads images

/** Starts the services of compose.yaml that stand for `wanted`, on free ports of this machine, and waits until each has answered. */
export async function startContainers(
  wanted: readonly ServerSpec[],
  { spec, state, log }: { spec: StackSpec; state: StackState; log: (line: string) => void },
): Promise<Containers> {
  await checkEngine();
  const environment: Record<string, string> = {};
  const releases: (() => Promise<void>)[] = [];
  for (const { name } of wanted) {
    const ports: Ports = {};
    for (const port of servers[name].ports) {
      const reservation = await reservePort();
      ports[port] = reservation.port;
      releases.push(reservation.release);
      environment[composeVariable(name, port)] = String(reservation.port);
    }
    const addresses = servers[name].addresses(ports, {});
    state.servers[name] = { choice: 'docker', addresses, ports, dataDir: '', logFile: '', restarts: 0 };
  }
  await Promise.all(releases.map(async (release) => release()));
  const services = wanted.flatMap(({ name }) => servers[name].composeService ?? []);
  const project = `trueup-${spec.name}`;
  log(`starting containers ${services.join(', ')} (project ${project}) …`);
  const started = await new DockerComposeEnvironment(dirname(import.meta.dirname), 'compose.yaml')
    .withProjectName(project)
    // The reaper removes volumes too: a stack whose data is kept goes without it, and its next start takes over what is left.
    .withAutoCleanup(!spec.keepData)
    .withEnvironment(environment)
    .withStartupTimeout(startWithinMs)
    .up(services);
  await Promise.all(
    wanted.map(async ({ name }) => {
      const addresses = state.servers[name]?.addresses ?? {};
      await untilAnswered(async () => servers[name].ready(addresses), {
        name,
        withinMs: servers[name].readyWithinMs,
        where: `container of service ${servers[name].composeService ?? name}`,
        next: `docker compose --project-name ${project} logs ${servers[name].composeService ?? name}`,
      });
      log(`${name.padEnd(13)} docker   ${addresses[servers[name].variables[0]] ?? ''}`);
    }),
  );
  return { stop: async () => void (await started.down({ removeVolumes: !spec.keepData })) };
}

/** The variable in compose.yaml that holds a port of this machine: TRUEUP_PORT_KAFKA_BROKER. */
export function composeVariable(server: string, port: string): string {
  return `TRUEUP_PORT_${server}_${port}`.replaceAll('-', '_').toUpperCase();
}

async function checkEngine(): Promise<void> {
  try {
    await getContainerRuntimeClient();
  } catch (error) {
    throw new StackError({
      what: 'TRUEUP_STACK=docker, but no Docker engine answers',
      where: error instanceof Error ? error.message : String(error),
      next: 'start Docker (docker info must work) or set DOCKER_HOST; on Linux x64 and arm64 unset TRUEUP_STACK to use native servers',
    });
  }
}
