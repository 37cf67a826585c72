// How far retention has come with a period. Everything that recomputes from the truth asks here first: once partitions
// may be gone, an answer out of the truth would be too small without looking wrong.

import { TrueupError } from '../../domain/contracts/errors.ts';
import type { Period } from '../../domain/period.ts';
import type { Postgres } from '../../platform/postgres.ts';
import type { AggregateTables, ArchiveFile } from '../tables.ts';

export type ArchiveState = 'ARCHIVING' | 'VERIFIED' | 'DROPPING' | 'DROPPED';

export type ArchiveRecord = {
  readonly period: string;
  readonly state: ArchiveState;
  readonly folder: string;
  readonly files: readonly ArchiveFile[];
  readonly digest: string | null;
};

export async function fetchArchive(db: Postgres<AggregateTables>, period: Period): Promise<ArchiveRecord | undefined> {
  const columns = ['period', 'state', 'folder', 'files', 'digest'] as const;
  return db.selectFrom('period_archives').select(columns).where('period', '=', period.key).executeTakeFirst();
}

export function isDropped(archive: Pick<ArchiveRecord, 'state'> | undefined): boolean {
  return archive?.state === 'DROPPING' || archive?.state === 'DROPPED';
}

/** Keys of the periods whose truth is gone or going. */
export async function fetchDroppedPeriods(db: Postgres<AggregateTables>): Promise<string[]> {
  const rows = await db
    .selectFrom('period_archives')
    .select('period')
    .where('state', 'in', ['DROPPING', 'DROPPED'])
    .execute();
  return rows.map(({ period }) => period);
}

/** Throws `rejected` PERIOD_STATE when the period's raw events are no longer in the truth table. */
export async function requireTruth(db: Postgres<AggregateTables>, period: Period): Promise<void> {
  const archive = await fetchArchive(db, period);
  if (!isDropped(archive)) return;
  throw new TrueupError({
    kind: 'rejected',
    code: 'PERIOD_STATE',
    message: `the raw events of ${period.key} have been archived and dropped`,
    next: `its totals stand; recompute them from the archive with "trueup period explain ${period.key}"`,
  });
}
