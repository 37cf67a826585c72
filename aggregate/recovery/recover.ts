// What must happen before any process works again on stores of different ages (platform/store-fence.ts).
// A Postgres restored to an earlier time: run numbers go on behind those in the rollups, else everything rolled up from now
// on would lose to them; closes that it has forgotten come back as they were; what it has forgotten to be stored is read
// again, and counts once as ever.
// A ClickHouse that lost rows: the log is read again from a given time under the hold that lost parts have, and at the end
// the closed totals are written again and must give the digests on record.
// When it dies: run it again. Every step may be repeated; none makes the stores look whole before they are.

import { sql } from 'kysely';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { EVENT_LIMITS } from '../../domain/contracts/topics.ts';
import { parsePeriod, toIso } from '../../domain/period.ts';
import { checkRolledUp, fetchOpenLog } from '../block-log.ts';
import type { CloseDeps } from '../close.ts';
import { checkWhole, readLogAgain, restoreClosedTotals, type LogAgain, type Rewind } from '../integrity/restore.ts';
import { adoptPeriodRecords, copyPeriodRecords } from '../period-copies.ts';
import { QUERIES } from '../queries.ts';
import { fetchDroppedPeriods } from '../retention/state.ts';
import type { Barrier } from '../usage.ts';

/** More than runs that were taken and have not written yet: of a worker that was cut off in the middle of a write. */
const RUNS_SKIPPED = 1_000_000;

export type PostgresRecovery = {
  /** Periods whose closes Postgres had forgotten. */
  readonly adopted: readonly string[];
  /** Where the sinks read on from. */
  readonly from: Barrier;
};

/** `rewind` moves the sinks' group to these offsets, never forward; it throws `rejected` while the group has members. */
export async function recoverPostgres(
  deps: CloseDeps,
  rewind: (to: Barrier) => Promise<Barrier>,
): Promise<PostgresRecovery> {
  // First: when it is refused because sinks still run, nothing has changed.
  const ends = await deps.fetchEndOffsets();
  const log = await fetchOpenLog(deps, ends);
  const reached = await rewind(ends.map((_, partition) => log[partition]?.stored ?? 0n));
  const adopted = await adoptPeriodRecords(deps);
  await liftRuns(deps);
  return { adopted, from: reached };
}

async function liftRuns({ clickhouse, db }: CloseDeps): Promise<void> {
  const rows = await clickhouse.query<{ run: string }>(QUERIES.newestRun);
  const least = BigInt(rows[0]?.run ?? '0') + BigInt(RUNS_SKIPPED);
  await sql`SELECT setval('rollup_runs', greatest(last_value, ${least.toString()}::bigint)) FROM rollup_runs`.execute(
    db,
  );
}

/** Accounts that used something since (epoch ms), registered or not, ordered. */
export async function fetchAccountsSince({ clickhouse }: CloseDeps, sinceMs: number): Promise<string[]> {
  const rows = await clickhouse.query<{ account: string }>(QUERIES.accountsSince, { since_ms: sinceMs });
  return rows.map(({ account }) => account);
}

/** Begins: the sinks may start afterwards. Throws `rejected` PART_UNRESTORABLE where the log alone can't give it back. */
export async function beginClickHouseRecovery(deps: CloseDeps, rewind: Rewind, sinceMs: number): Promise<LogAgain> {
  const dropped = (await fetchDroppedPeriods(deps.db)).map((key) => parsePeriod(key).endAtMs + EVENT_LIMITS.ageMaxMs);
  const leastMs = Math.max(0, ...dropped);
  if (sinceMs < leastMs) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'PART_UNRESTORABLE',
      message: `what arrived before ${toIso(leastMs)} may belong to months that were archived and dropped`,
      next: 'restore a ClickHouse backup from after that time, then read the log again from the backup on',
    });
  }
  const again = await readLogAgain(deps, rewind, { sinceMs, parts: [], manifests: true });
  await copyPeriodRecords(deps);
  return again;
}

/** Ends: throws `unavailable` ROLLUP_BEHIND until the log has been read. Returns the periods that were written again. */
export async function finishClickHouseRecovery(deps: CloseDeps): Promise<string[]> {
  await checkRolledUp(deps, await deps.fetchEndOffsets());
  const closedAgain = await restoreClosedTotals(deps);
  await checkWhole(deps, closedAgain);
  return closedAgain;
}
