// All walks in one world. Breaks that do not touch each other overlap; those that blind the watcher come last.

import { join } from 'node:path';
import { fetchOutput } from '../../../stack/commands.ts';
import { RUNBOOK_NAMES } from '../runbook.ts';
import { HOLDS } from './scenes/holds.ts';
import { CLOSE_ENDED, MONEY_DIFFERS, NO_WORKER, plantMoney } from './scenes/invoice-day.ts';
import {
  KAFKA_HANGS,
  MANY_SOURCES,
  NO_ALERTMANAGER,
  RECEIVER_GONE,
  RESTARTS,
  STRIPE_FAILS,
  WATCHER_HANGS,
} from './scenes/servers.ts';
import { createRejects, DAMAGED, sendFirstUsage, sourceIsShort, STANDSTILL } from './scenes/stored-usage.ts';
import { createReplicaScenes, FULL_DISK, LOST_TABLE } from './scenes/stores.ts';
import { untilSeen } from './soon.ts';
import { walkScene, type Scene, type WalkResult } from './walk.ts';
import { OPERATOR, REVIEWER } from './setting.ts';
import type { World } from './world.ts';

/** Shown by promtool's cases only, and why (dashboards/testing). */
export const NOT_WALKED: Readonly<Record<string, string>> = {
  ClockSkew: 'the database and the watcher share this machine’s clock',
  AnomaliesWidespread: 'no detector posts it yet',
  TenantAnomaly: 'no detector posts it yet',
};

const ROOT = join(import.meta.dirname, '../../..');
const HEALTHY_MS = 60_000;

export type Walks = { readonly results: readonly WalkResult[]; readonly skipped: ReadonlyMap<string, string> };

/** `onScene` hears each scene as it begins. */
export async function walkAll(world: World, onScene: (name: string) => void): Promise<Walks> {
  const skipped = new Map(Object.entries(NOT_WALKED));
  if (world.disk === undefined) skipped.set('DiskNearlyFull', 'this user can not mount a small disk');
  await appointPeople(world);
  await plantMoney(world);
  await sendFirstUsage(world);
  await untilNothingBlocks(world);

  const ending: Promise<WalkResult[]>[] = [];
  /** One after the other; a scene does not wait for the alerts of the one before to end. */
  const inTurn = async (...scenes: readonly Scene[]) => {
    for (const scene of scenes) {
      onScene(scene.name);
      ending.push((await walkScene(world, scene)).ended);
    }
  };
  const replica = createReplicaScenes();
  try {
    const short = Promise.withResolvers<void>();
    const beforeMonth = Promise.all([inTurn(HOLDS), inTurn(STRIPE_FAILS)]);
    const month = beforeMonth.then(async () => inTurn(NO_WORKER, CLOSE_ENDED, MONEY_DIFFERS));
    await Promise.all([
      month,
      inTurn(sourceIsShort({ onBroken: short.resolve, untilQuiet: async () => month })),
      short.promise.then(async () => inTurn(DAMAGED, STANDSTILL)),
      inTurn(createRejects()),
      inTurn(...replica.scenes),
      inTurn(RESTARTS),
      inTurn(MANY_SOURCES),
      inTurn(RECEIVER_GONE, NO_ALERTMANAGER),
      ...(world.disk === undefined ? [] : [inTurn(FULL_DISK)]),
    ]);
    await Promise.all([inTurn(KAFKA_HANGS), inTurn(LOST_TABLE)]);
    await inTurn(WATCHER_HANGS);
    const results = (await Promise.all(ending)).flat();
    return { results: results.toSorted((a, b) => order(a) - order(b)), skipped };
  } finally {
    await replica.end();
  }
}

async function appointPeople({ must }: World): Promise<void> {
  await must(`npm run trueup -- people set ${OPERATOR} --roles operator,preparer`);
  await must(`npm run trueup -- people set ${REVIEWER} --roles reviewer --as ${OPERATOR}`);
}

/** Once as people type it, with npm and all: everything after this goes by shorter ways (run-command.ts). */
async function untilNothingBlocks({ variables }: World): Promise<void> {
  const status = ['run', '--silent', 'trueup', '--', 'status'];
  await untilSeen('status to say that nothing blocks', HEALTHY_MS, async () => {
    const { code, stdout } = await fetchOutput('npm', status, { cwd: ROOT, env: { ...variables } });
    return code === 0 && stdout.includes('nothing blocks') ? true : undefined;
  });
}

const order = ({ alert }: WalkResult) => RUNBOOK_NAMES.indexOf(alert);
