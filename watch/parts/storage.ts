// Room on the engine's disks, and how far replicas of the database are behind. Reads only.

import { sql } from 'kysely';
import { fetchDatabaseNowMs } from '../../aggregate/usage.ts';
import type { WatchDeps } from '../deps.ts';
import type { ClockStanding, StorageStanding } from '../standing.ts';

type Disk = { free: string; total: string };
type Replicas = { replicas: string; lag_seconds: string | null };

export async function lookAtStorage({ clickhouse, db }: WatchDeps): Promise<StorageStanding> {
  const disks = await clickhouse.query<Disk>(
    'SELECT toString(free_space) AS free, toString(total_space) AS total FROM system.disks WHERE total_space > 0',
  );
  if (disks.length === 0) throw new Error('the engine names no disk');
  const { rows } = await sql<Replicas>`
    SELECT count(*)::text AS replicas, extract(epoch FROM max(replay_lag))::text AS lag_seconds
    FROM pg_stat_replication WHERE state = 'streaming'`.execute(db);
  return {
    diskFreeRatio: Math.min(...disks.map(({ free, total }) => Number(free) / Number(total))),
    replicas: Number(rows[0]?.replicas ?? '0'),
    replicationLagMs: Number(rows[0]?.lag_seconds ?? '0') * 1_000,
  };
}

export async function lookAtClock({ clock, db }: WatchDeps): Promise<ClockStanding> {
  const beforeMs = Date.now();
  const databaseNowMs = await fetchDatabaseNowMs(db);
  const afterMs = Date.now();
  return { businessNowMs: await clock.now(), databaseSkewMs: databaseNowMs - (beforeMs + afterMs) / 2 };
}
