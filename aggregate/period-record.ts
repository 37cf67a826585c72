// What Postgres records of a period whose close has begun. A period without a record is open, or in grace by the clock.

import { TrueupError } from '../domain/contracts/errors.ts';
import type { Period } from '../domain/period.ts';
import type { Postgres } from '../platform/postgres.ts';
import type { AggregateTables, StoredCatalogue } from './tables.ts';
import type { Barrier } from './usage.ts';

export type PeriodRecord = {
  readonly state: 'CLOSING' | 'CLOSED';
  readonly barrier: Barrier;
  readonly barrierAtMs: number;
  readonly closedAtMs: number | null;
  readonly digest: string | null;
  readonly events: bigint | null;
  readonly catalogue: StoredCatalogue;
  /** Digest over the conflicts that its rollups have been recomputed without. */
  readonly conflictsSwept: string | null;
};

export async function fetchPeriod(db: Postgres<AggregateTables>, period: Period): Promise<PeriodRecord | undefined> {
  const row = await db.selectFrom('periods').selectAll().where('key', '=', period.key).executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    state: row.state,
    barrier: row.barrier.map(BigInt),
    barrierAtMs: row.barrier_at.getTime(),
    closedAtMs: row.closed_at?.getTime() ?? null,
    digest: row.digest,
    events: row.events === null ? null : BigInt(row.events),
    catalogue: row.catalogue,
    conflictsSwept: row.conflicts_swept,
  };
}

export async function requirePeriod(db: Postgres<AggregateTables>, period: Period): Promise<PeriodRecord> {
  const record = await fetchPeriod(db, period);
  if (record !== undefined) return record;
  throw new TrueupError({
    kind: 'rejected',
    code: 'PERIOD_STATE',
    message: `${period.key} has no barrier yet`,
    next: 'take its barrier first',
  });
}
