// The processes that a stack's Prometheus scrapes: a file in its data folder, written by whoever starts them.
// Promises: readers see the whole old list or the whole new one; Prometheus follows within seconds.
import { writeFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { reservePort } from './ports.ts';
import type { ProcessSpec } from './processes.ts';
import type { StackState } from './state.ts';

/** `address` is host:port, where GET /metrics is answered. */
export type Target = { address: string; labels: { process: string } };

export function targetsFile(dataDir: string): string {
  return join(dataDir, 'targets.json');
}

/** The same processes, each with a free port of its own to serve metrics and health on, and where Prometheus finds them. */
export async function giveOpsPorts(
  specs: readonly ProcessSpec[],
): Promise<{ processes: ProcessSpec[]; targets: Target[] }> {
  const reservations = await Promise.all(specs.map(async () => reservePort()));
  await Promise.all(reservations.map(async ({ release }) => release()));
  const host = '127.0.0.1';
  const placed = specs.map((spec, index) => ({ spec, port: `${reservations[index]?.port ?? 0}` }));
  return {
    processes: placed.map(({ spec, port }) => {
      const env = { ...spec.env, TRUEUP_OPS_HOST: host, TRUEUP_OPS_PORT: port };
      return { ...spec, env };
    }),
    targets: placed.map(({ spec, port }) => ({ address: `${host}:${port}`, labels: { process: spec.name } })),
  };
}

/** Replaces the list. Without a Prometheus of the stack's own nothing is written: a given one scrapes what its owner says. */
export function writeTargets(stack: { state: () => StackState }, targets: readonly Target[]): void {
  const dataDir = stack.state().servers.prometheus?.dataDir ?? '';
  if (dataDir !== '') writeTargetsFile(dataDir, targets);
}

export function writeTargetsFile(dataDir: string, targets: readonly Target[]): void {
  const file = targetsFile(dataDir);
  const groups = targets.map(({ address, labels }) => ({ targets: [address], labels }));
  writeFileSync(`${file}.new`, `${JSON.stringify(groups, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}
