// The one world that all walks break: every server and stage, two accounts with a month to bill, a source that sends,
// Prometheus and Alertmanager. Everything in it is real but Stripe and the pace of rules and of business time.
// When this process dies, servers and stages go with it.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PrincipalTables } from '../../../accounts/principals.ts';
import { createFleet, type Fleet } from '../../../fixtures/torture/fleet.ts';
import { createPostgres } from '../../../platform/postgres.ts';
import type { ProcessSpec } from '../../../stack/processes.ts';
import { giveOpsPorts, writeTargets, type Target } from '../../../stack/targets.ts';
import { stageFiles } from '../../../stack/stages.ts';
import { startDoorTraffic, type DoorTraffic } from './door-traffic.ts';
import { prepareGround, TOPICS, type Ground, type Stops } from './ground.ts';
import { createPrometheus, type Prometheus } from './prometheus.ts';
import { startReceiver, type Receiver } from './receiver.ts';
import { runCommand, type Ran } from './run-command.ts';
import { LARGE, QUIET_MS } from './setting.ts';
import { openUsage, type Usage } from './usage.ts';

export type World = Omit<Ground, 'kafka'> & {
  readonly fleet: Fleet;
  readonly prometheus: Prometheus;
  readonly receiver: Receiver;
  readonly door: DoorTraffic;
  readonly usage: Usage;
  readonly folder: string;
  /** Host and port of its metrics and health. */
  readonly addressOf: (stage: StageName) => string;
  readonly startStage: (stage: StageName) => void;
  /** A line of a runbook, or of a walk's own. */
  readonly run: (command: string) => Promise<Ran>;
  /** The same, which must succeed. */
  readonly must: (command: string) => Promise<string>;
};

type StageName = keyof typeof stageFiles;

const ROOT = join(import.meta.dirname, '../../..');
const SUBJECT = `main.${LARGE}`;

/** Resolves with a world in which all is well, and how to end it. Postgres' user must reach `folder`. */
export async function startWorld(name: string, folder: string): Promise<{ world: World; stop: () => Promise<void> }> {
  const stops: Stops = [];
  const stop = async () => {
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    return { world: await build(name, folder, stops), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(name: string, folder: string, stops: Stops): Promise<World> {
  mkdirSync(folder, { recursive: true });
  const receiver = await startReceiver();
  stops.push(() => receiver.close());
  const { kafka, ...ground } = await prepareGround({ name, folder, receiverUrl: receiver.url }, stops);
  const { stack, variables } = ground;
  const { processes, targets } = await placeStages(variables);
  const fleet = createFleet(join(folder, 'logs'));
  stops.push(async () => fleet.stop());
  const running = fleet.untilSaid('ingest', 'reading');
  for (const spec of processes) fleet.start(spec);
  writeTargets(stack, targets);
  await running;

  const principals = createPostgres<PrincipalTables>(variables['TRUEUP_POSTGRES_URL'] ?? '', 2);
  stops.push(async () => principals.destroy());
  const url = `http://127.0.0.1:${variables['TRUEUP_HTTP_PORT']}/v1/events`;
  const door = await startDoorTraffic({ url, db: principals, subject: SUBJECT, atMs: QUIET_MS });
  stops.push(() => door.stop());
  const usage = await openUsage(kafka, TOPICS, SUBJECT);
  stops.push(async () => usage.close());
  const run = async (command: string) => runCommand(command, variables, stack.name);
  return {
    ...ground,
    fleet,
    prometheus: createPrometheus(stack.env['TRUEUP_PROMETHEUS_URL'] ?? ''),
    receiver,
    door,
    usage,
    folder,
    addressOf: (stage) => targets.find(({ labels }) => labels.process === stage)?.address ?? '',
    startStage: (stage) => {
      for (const spec of processes.filter((one) => one.name === stage)) fleet.start(spec);
    },
    run,
    must: async (command) => {
      const { code, output } = await run(command);
      if (code !== 0) throw new Error(`"${command}" ended with code ${code}:\n${output}`);
      return output;
    },
  };
}

async function placeStages(env: Ground['variables']): Promise<{ processes: ProcessSpec[]; targets: Target[] }> {
  const specs = Object.entries(stageFiles).map(([name, file]) => ({ name, file: join(ROOT, file), env: { ...env } }));
  return giveOpsPorts(specs);
}
