// Where the rollup worker's list stands: how many stored blocks wait, since when, and whether the oldest moves.

import type { Postgres } from '../platform/postgres.ts';
import type { Progress } from '../platform/standstill.ts';
import type { AggregateTables } from './tables.ts';

export type WorkList = Progress & {
  /** When the oldest waiting block was stored, by the database's clock; null when none waits. */
  readonly oldestAtMs: number | null;
};

/** `behind` in blocks; `position` is the place of the oldest waiting block in the order of storing. */
export async function fetchWorkList(db: Postgres<Pick<AggregateTables, 'ingest_blocks'>>): Promise<WorkList> {
  const row = await db
    .selectFrom('ingest_blocks')
    .select(({ fn }) => [
      fn.countAll<string>().as('waiting'),
      fn.min('seq').as('oldest'),
      fn.min('stored_at').as('oldest_at'),
    ])
    .where('rolled_up_run', 'is', null)
    .executeTakeFirst();
  return {
    behind: BigInt(row?.waiting ?? '0'),
    position: BigInt(row?.oldest ?? '0'),
    oldestAtMs: row?.oldest_at?.getTime() ?? null,
  };
}
