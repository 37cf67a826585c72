// What archived and dropped months held, by their records: counts of the whole log go on including them.

import { TrueupError } from '../../domain/contracts/errors.ts';
import type { Postgres } from '../../platform/postgres.ts';
import type { AggregateTables } from '../tables.ts';
import type { Barrier } from '../usage.ts';
import { isConflictsFile } from './load.ts';

export type ArchivedCounts = {
  /** Keys of the months whose truth is gone or going. */
  readonly periods: readonly string[];
  /** Distinct identities: every identity's first copy, voids included. */
  readonly unique: bigint;
};

/** Throws `rejected` PERIOD_STATE when an archive may hold events from behind `upTo`, which only its files could tell. */
export async function fetchArchivedCounts(db: Postgres<AggregateTables>, upTo: Barrier): Promise<ArchivedCounts> {
  const archives = await db
    .selectFrom('period_archives')
    .select(['period', 'files', 'log_ends'])
    .where('state', 'in', ['DROPPING', 'DROPPED'])
    .orderBy('period')
    .execute();
  let unique = 0n;
  for (const { period, files, log_ends: ends } of archives) {
    if (ends === null || ends.some((end, partition) => BigInt(end) > (upTo[partition] ?? 0n))) throw tooEarly(period);
    for (const { name, rows } of files) unique += BigInt(isConflictsFile(name) ? -rows : rows);
  }
  return { periods: archives.map(({ period }) => period), unique };
}

function tooEarly(period: string): TrueupError {
  return new TrueupError({
    kind: 'rejected',
    code: 'PERIOD_STATE',
    message: `${period} has been archived and dropped after the barrier whose counts are asked for`,
    next: 'read the report that was written then; counts can be had from the archive on',
  });
}
