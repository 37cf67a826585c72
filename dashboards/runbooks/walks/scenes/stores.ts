// The ground Trueup stands on: its database's replica, the engine's disk, a table that went away.

import { statfsSync, writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { startReplica, type Replica } from '../replica.ts';
import type { Scene } from '../walk.ts';
import type { World } from '../world.ts';

const LAG_MS = 60_000;
/** Below the twelfth at which someone is woken, and enough for what the engine writes meanwhile. */
const LEFT_FREE = 0.06;

function fillerOf({ stack }: World): string {
  return join(stack.state().servers.clickhouse?.dataDir ?? '', 'filler');
}

export const FULL_DISK: Scene = {
  name: 'the engine’s disk is nearly full',
  expects: [{ alert: 'DiskNearlyFull', labels: { severity: 'page' } }],
  breaks: (world) => {
    const filler = fillerOf(world);
    const { blocks, bavail, bsize } = statfsSync(join(filler, '..'));
    writeFileSync(filler, Buffer.alloc(Math.floor(bsize * (bavail - LEFT_FREE * blocks))));
    return Promise.resolve();
  },
  mends: (world) => Promise.resolve(rmSync(fillerOf(world))),
};

/** Two scenes of one replica, in this order: it falls behind, and it is lost. */
export function createReplicaScenes(): { scenes: readonly Scene[]; end: () => Promise<void> } {
  let replica: Replica | undefined;
  const lag: Scene = {
    name: 'a replica does not replay',
    expects: [
      {
        alert: 'ReplicationLag',
        labels: { severity: 'ticket' },
        begins: async ({ prometheus }) => prometheus.untilAsked('trueup_watch_replication_lag_seconds > 30', LAG_MS),
      },
    ],
    breaks: async (world) => {
      replica = await startReplica(world.variables['TRUEUP_POSTGRES_URL'] ?? '', join(world.folder, 'replica'));
      await world.prometheus.untilAsked('trueup_watch_streaming_replicas == 1', LAG_MS);
      await replica.pauseReplay();
    },
    mends: async () => replica?.resumeReplay(),
  };
  const lost: Scene = {
    name: 'a replica is gone',
    expects: [{ alert: 'ReplicaLost', labels: { severity: 'ticket' } }],
    breaks: async () => replica?.kill(),
    mends: async () => replica?.start(),
  };
  return { scenes: [lag, lost], end: async () => replica?.end() };
}

const TABLE = 'stripe_refetches';

export const LOST_TABLE: Scene = {
  name: 'a table went away',
  // Kafka does, at that time.
  looksHang: true,
  expects: [
    {
      alert: 'WatcherBlind',
      labels: { severity: 'ticket', part: 'outbox' },
      fill: (world) => ({ part: 'outbox', address: world.addressOf('watch') }),
    },
  ],
  breaks: async ({ clients }) => {
    await sql`ALTER TABLE ${sql.table(TABLE)} RENAME TO was_there`.execute(clients.db);
  },
  mends: async ({ clients }) => {
    await sql`ALTER TABLE was_there RENAME TO ${sql.table(TABLE)}`.execute(clients.db);
  },
};
