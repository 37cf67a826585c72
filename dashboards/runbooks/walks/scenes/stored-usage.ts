// Usage that is damaged, short, unusable, or stands still on its way.

import { setTimeout as pause } from 'node:timers/promises';
import { HOUR_MS } from '../../../../domain/period.ts';
import { untilSeen } from '../soon.ts';
import type { Scene } from '../walk.ts';
import { BEGIN_MS, QUIET_MS } from '../setting.ts';
import type { World } from '../world.ts';

const STORED_MS = 60_000;
const SECOND_LOOK_MS = 2_500;
const DAMAGED_MS = Date.UTC(2026, 9, 20, 14, 30);
/** Of the hours whose manifests are due at first. */
const SHORT_MS = Date.UTC(2026, 9, 28, 10, 10);
const SHORT_SOURCE = '/cell-2';
const [SAID, CAME] = [25, 20];

/** Everything that is in the log now is in the rollups. */
async function untilStored({ clients: { usage } }: World): Promise<void> {
  const ends = await usage.fetchEndOffsets();
  await untilSeen('what was sent to be rolled up', STORED_MS, async () => {
    await usage.checkRolledUp(ends);
    return true;
  });
}

/** The proof looks again until it says so. */
async function untilProven({ run }: World, says: (output: string) => boolean): Promise<void> {
  await untilSeen('the proof to say so', STORED_MS, async () => {
    const { output } = await run('npm run trueup -- integrity run');
    return output.includes('looked at') && says(output) ? true : undefined;
  });
}

/** What walks need in the stores before anything is broken. */
export async function sendFirstUsage(world: World): Promise<void> {
  const { usage } = world;
  await usage.send({ source: '/cell-1', events: 40, atMs: DAMAGED_MS });
  await usage.send({ source: SHORT_SOURCE, events: CAME, atMs: SHORT_MS });
  await usage.announce({ source: SHORT_SOURCE, events: CAME, atMs: SHORT_MS });
  // It sends until now: it is short, not silent.
  const lastMs = BEGIN_MS - HOUR_MS;
  await usage.send({ source: SHORT_SOURCE, events: 5, atMs: lastMs });
  await usage.announce({ source: SHORT_SOURCE, events: 5, atMs: lastMs });
  await untilStored(world);
}

export const DAMAGED: Scene = {
  name: 'rows of the truth were deleted',
  expects: [
    {
      alert: 'IntegrityFindingOpen',
      labels: { severity: 'page', kind: 'TRUTH_ALTERED' },
      fill: () => ({ kind: 'TRUTH_ALTERED', arrival: '2026-10-20T14:00:00Z' }),
    },
  ],
  breaks: async ({ clients, run }) => {
    const minute = `toDateTime(${DAMAGED_MS / 1_000}, 'UTC')`;
    await clients.clickhouse.command(
      `ALTER TABLE usage_events_v1 DELETE WHERE toStartOfMinute(time) = ${minute} SETTINGS mutations_sync = 2`,
    );
    // The proof looks every five minutes and believes the second sight; both are asked for here.
    await run('npm run trueup -- integrity run');
    await pause(SECOND_LOOK_MS);
    await run('npm run trueup -- integrity run');
  },
  mends: async (world, fix) => {
    await world.fleet.stop('ingest');
    await fix('IntegrityFindingOpen');
    world.startStage('ingest');
    await untilStored(world);
    await untilProven(world, (output) => !output.includes('OPEN TRUTH_'));
  },
};

const short = () => ({ kind: 'SOURCE_SHORT', source: SHORT_SOURCE });

type ShortOptions = {
  /** Both scenes are about completeness, whose alert begins with this one. */
  readonly onBroken: () => void;
  /** Sources that stopped sending would be found while the month's walks move time by days. */
  readonly untilQuiet: () => Promise<unknown>;
};

export function sourceIsShort({ onBroken, untilQuiet }: ShortOptions): Scene {
  return {
    name: 'a source announced more than came',
    expects: [
      { alert: 'SourceShortOrSilent', labels: { kind: 'SOURCE_SHORT' }, fill: short },
      { alert: 'UsageCompletenessBurn', labels: { severity: 'page' }, fill: short },
    ],
    breaks: async (world) => {
      try {
        await world.usage.announce({ source: SHORT_SOURCE, events: SAID, atMs: SHORT_MS });
        await untilProven(world, (output) => output.includes('OPEN SOURCE_SHORT'));
      } finally {
        onBroken();
      }
    },
    mends: async (world) => {
      await untilQuiet();
      await world.usage.send({ source: SHORT_SOURCE, events: SAID - CAME, atMs: SHORT_MS });
      await untilStored(world);
      await untilProven(world, (output) => !output.includes('OPEN SOURCE_SHORT'));
    },
  };
}

export const STANDSTILL: Scene = {
  name: 'rollup worker and sink hang',
  expects: [
    { alert: 'RollupStalled', labels: { severity: 'page' } },
    { alert: 'ConsumptionStopped', labels: { severity: 'page' } },
  ],
  breaks: async (world) => {
    const { fleet, prometheus, usage } = world;
    fleet.pause('aggregate');
    await usage.send({ source: '/cell-1', events: 20, atMs: QUIET_MS });
    await prometheus.untilAsked('min_over_time(trueup_watch_pending_blocks[3s]) > 0', STORED_MS);
    fleet.pause('ingest');
    await usage.send({ source: '/cell-1', events: 20, atMs: QUIET_MS });
  },
  mends: ({ fleet }) => {
    for (const stage of ['ingest', 'aggregate']) fleet.resume(stage);
    return Promise.resolve();
  },
};

const BAD_PER_SECOND = 15;

/** A source whose release sends quantities that nobody can count. */
export function createRejects(): Scene {
  let timer: NodeJS.Timeout | undefined;
  return {
    name: 'a source sends what can not be counted',
    expects: [{ alert: 'RejectsSurge', labels: { severity: 'ticket' }, fill: () => ({ reason: 'QUANTITY_INVALID' }) }],
    breaks: ({ usage }) => {
      const bad = { source: '/cell-3', events: BAD_PER_SECOND, atMs: QUIET_MS, quantity: '-1' };
      timer = setInterval(() => void usage.send(bad).catch(() => undefined), 1_000);
      return Promise.resolve();
    },
    mends: () => {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}
