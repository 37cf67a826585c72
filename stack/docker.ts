// Servers as containers, for TRUEUP_STACK=docker: the images and settings are those of compose.yaml.
// Promises: the same addresses and readiness as native servers; when this process dies, testcontainers' reaper removes the containers of a
// stack whose data is thrown away.
import { dirname } from 'node:path';
import { DockerComposeEnvironment, getContainerRuntimeClient } from 'testcontainers';
import { StackError } from './errors.ts';
import type { Place } from './place.ts';
import type { ServerSpec, StackSpec } from './protocol.ts';
import { untilAnswered } from './ready.ts';
import { servers } from './servers/table.ts';
import type { StackState } from './state.ts';

export type Containers = { stop: () => Promise<void> };

const checkout = dirname(import.meta.dirname);
const startWithinMs = 300_000; // a first start downloads images

/** Starts the services of compose.yaml that stand for `wanted`, on free ports of this machine, and waits until each has answered. */
export async function startContainers(
  placed: readonly { server: ServerSpec; place: Place }[],
  { spec, state, log }: { spec: StackSpec; state: StackState; log: (line: string) => void },
): Promise<Containers> {
  await checkEngine();
  const environment: Record<string, string> = { TRUEUP_CHECKOUT: checkout };
  for (const { server, place } of placed) {
    const { ports, dataDir } = place.entry;
    for (const [port, number] of Object.entries(ports)) environment[composeVariable(server.name, port)] = `${number}`;
    const { installed } = server;
    const context = { dataDir, ports, installed, settings: spec.settings, peers: state.servers };
    const config = await servers[server.name].configure?.(context);
    if (config !== undefined) environment[`TRUEUP_CONFIG_${server.name.toUpperCase()}`] = config;
  }
  await Promise.all(placed.map(async ({ place }) => place.release()));
  const wanted = placed.map(({ server }) => server);
  const services = wanted.flatMap(({ name }) => servers[name].composeService ?? []);
  const project = `trueup-${spec.name}`;
  log(`starting containers ${services.join(', ')} (project ${project}) …`);
  const started = await new DockerComposeEnvironment(checkout, 'compose.yaml')
    .withProjectName(project)
    .withProfiles('monitoring')
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
