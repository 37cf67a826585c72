// Retention: archive, verify, then drop (promise I4). A closed month keeps its raw events until its dispute window is
// over; then they become Parquet files named in its close record, the closed total and every adjustment are recomputed
// from those files, and only then the month's partitions go.
// When it dies: every step is recorded before the next one starts. Files that were recorded are kept, others are written
// again; a drop that began is finished. Nothing is dropped that was not read back first.

import { invariant, TrueupError } from '../../domain/contracts/errors.ts';
import { WAITS } from '../../domain/contracts/waits.ts';
import { toIso, type Period } from '../../domain/period.ts';
import { recordAdjustments } from '../adjustments.ts';
import { checkRolledUp } from '../block-log.ts';
import type { CloseDeps } from '../close.ts';
import { requirePeriod } from '../period-record.ts';
import { countedParameters } from '../parameters.ts';
import { QUERIES } from '../queries.ts';
import { archiveFiles, countTruth } from './archive.ts';
import { dropPartitions, sweepDirty, TABLES } from './drop.ts';
import { checkFile } from './files.ts';
import { fetchArchive, type ArchiveRecord, type ArchiveState } from './state.ts';
import { verifyArchive } from './verify.ts';

export type RetentionPlan = {
  readonly period: string;
  readonly dueAtMs: number;
  readonly due: boolean;
  readonly state: ArchiveState | 'NONE';
  /** Events and losing copies that would be archived. */
  readonly events: bigint;
  readonly conflicts: bigint;
  /** What would be dropped. */
  readonly partitions: readonly { readonly table: string; readonly rows: string; readonly bytes: string }[];
};

export type RetentionOptions = {
  readonly folder: string;
  /** Business time. */
  readonly nowMs: number;
  /** Called between any two steps, with the name of the step that is done. */
  readonly onStep?: (step: string) => void | Promise<void>;
};

/** The dry run: what retention would do, and when. Writes nothing. */
export async function planRetention(deps: CloseDeps, period: Period, nowMs: number): Promise<RetentionPlan> {
  const dueAtMs = await requireDueAt(deps, period);
  const archive = await fetchArchive(deps.db, period);
  const partition = partitionOf(period);
  const window = countedParameters({ window: period });
  const [losers] = await deps.clickhouse.query<{ rows: string }>(QUERIES.conflictCount, window);
  return {
    period: period.key,
    dueAtMs,
    due: nowMs >= dueAtMs,
    state: archive?.state ?? 'NONE',
    events: await countTruth(deps.clickhouse, period),
    conflicts: BigInt(losers?.rows ?? 0),
    partitions: await deps.clickhouse.query(QUERIES.partitionSizes, { tables: [...TABLES], partition }),
  };
}

/** Archives and drops a month, from wherever an earlier attempt stopped. Repeating it after the end does nothing. */
export async function retainPeriod(deps: CloseDeps, period: Period, options: RetentionOptions): Promise<ArchiveRecord> {
  const step = async (name: string) => options.onStep?.(name);
  const dueAtMs = await requireDueAt(deps, period);
  if (options.nowMs < dueAtMs) {
    throw refused(`${period.key} can be disputed until ${toIso(dueAtMs)}`, 'its raw events stay until then');
  }
  let archive = await requireArchive(deps, period, options);
  if (archive.state === 'ARCHIVING') {
    await settle(deps, period);
    archive = await archiveFiles(deps, { period, archive, step });
    await step('files');
    const digest = await verifyArchive(deps, period, archive);
    await setState(deps, period, { state: 'VERIFIED', digest, verified_at: new Date(options.nowMs) });
    await step('verified');
  }
  archive = await requireArchive(deps, period, options);
  if (archive.state === 'VERIFIED') {
    for (const file of archive.files) await checkFile(archive.folder, file);
    await checkNothingCameSince(deps, period, archive);
    await setState(deps, period, { state: 'DROPPING' });
    await step('dropping');
  }
  if ((await requireArchive(deps, period, options)).state === 'DROPPING') {
    await dropPartitions(deps.clickhouse, partitionOf(period), step);
    await sweepDirty(deps);
    await setState(deps, period, { state: 'DROPPED', dropped_at: new Date(options.nowMs) });
    await step('dropped');
  }
  return requireArchive(deps, period, options);
}

/** Everything the log holds is stored and posted: afterwards no recomputation from the truth is possible. */
async function settle(deps: CloseDeps, period: Period): Promise<void> {
  const ends = await deps.fetchEndOffsets();
  await checkRolledUp(deps, ends);
  await recordAdjustments(deps, period, ends);
  await setState(deps, period, { state: 'ARCHIVING', log_ends: JSON.stringify(ends.map(String)) });
}

async function checkNothingCameSince(deps: CloseDeps, period: Period, archive: ArchiveRecord): Promise<void> {
  const archived = archive.files
    .filter(({ name }) => name.includes('events-'))
    .reduce((sum, { rows }) => sum + BigInt(rows), 0n);
  if ((await countTruth(deps.clickhouse, period)) === archived) return;
  await setState(deps, period, { state: 'ARCHIVING', digest: null, verified_at: null });
  throw new TrueupError({
    kind: 'unavailable',
    code: 'PERIOD_STATE',
    message: `${period.key} changed after its archive was verified; nothing was dropped`,
    next: 'run retention again: it archives what came',
  });
}

async function requireDueAt(deps: CloseDeps, period: Period): Promise<number> {
  const { closedAtMs } = await requirePeriod(deps.db, period);
  if (closedAtMs !== null) return closedAtMs + WAITS.disputeWindowMs;
  throw refused(`${period.key} is not closed yet`, 'only closed periods are archived');
}

async function requireArchive(deps: CloseDeps, period: Period, { folder, nowMs }: RetentionOptions) {
  await deps.db
    .insertInto('period_archives')
    .values({ period: period.key, state: 'ARCHIVING', folder, files: '[]', archived_at: new Date(nowMs) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const archive = await fetchArchive(deps.db, period);
  invariant(archive !== undefined, 'I4', `${period.key} lost its archive record`);
  return archive;
}

type StateChange = {
  state: ArchiveState;
  digest?: string | null;
  log_ends?: string;
  verified_at?: Date | null;
  dropped_at?: Date;
};

async function setState(deps: CloseDeps, period: Period, change: StateChange): Promise<void> {
  await deps.db.updateTable('period_archives').set(change).where('period', '=', period.key).execute();
}

/** The name of the month's partition in tables partitioned by toYYYYMM. */
function partitionOf(period: Period): string {
  return period.key.replace('-', '');
}

function refused(message: string, next: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'PERIOD_STATE', message, next });
}
