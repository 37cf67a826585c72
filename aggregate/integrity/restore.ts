// Restores what the engine lost. Everything but closed totals comes out of the log: lost parts are set aside, the sinks'
// groups go back to where the log may hold their rows, and the sinks store them again, which marks every minute for the
// rollup. Until all of that has been read again nothing is closed or adjusted (block-log.ts). Closed totals are written
// again from the truth, before their lost part goes, and must give the digest that was recorded.
// When it dies: run it again. The restoration is recorded before the first part is set aside, so a close never sees a
// truth with a hole; a rewind too many costs time only.

import { invariant, TrueupError } from '../../domain/contracts/errors.ts';
import { EVENT_LIMITS } from '../../domain/contracts/topics.ts';
import { CLICKHOUSE_TABLES as TABLES } from '../../domain/contracts/tables.ts';
import { parsePeriod, type Period } from '../../domain/period.ts';
import { checkRolledUp } from '../block-log.ts';
import { checkClosedDigest, type CloseDeps } from '../close.ts';
import { computePeriodDigest, type DigestRow } from '../digest.ts';
import { countedParameters } from '../parameters.ts';
import { copyPeriodRecords } from '../period-copies.ts';
import { requirePeriod } from '../period-record.ts';
import { QUERIES } from '../queries.ts';
import { fetchDroppedPeriods } from '../retention/state.ts';
import type { Barrier } from '../usage.ts';
import { fetchLostParts, type LostPart } from './parts.ts';

/** The sinks' groups, which must have no members: throws `rejected` while they have. */
export type Rewind = {
  /** Back to the first usage records that arrived at or after `sinceMs`; returns these offsets. */
  usage(sinceMs: number): Promise<Barrier>;
  /** All manifests are few. */
  manifests(): Promise<void>;
};

export type Restoration = {
  readonly lost: readonly LostPart[];
  /** Read again from here, to here; empty when nothing comes out of the log. */
  readonly from: Barrier;
  readonly to: Barrier;
  /** Closed periods whose totals were written again. */
  readonly closedAgain: readonly string[];
};

/** What comes out of the log, and what a table of its own kind needs. Losing copies are found again by the next close. */
const FROM_LOG: readonly string[] = [
  TABLES.usageEvents,
  TABLES.usageRejected,
  TABLES.usageDirty,
  TABLES.usageMinute,
  TABLES.usageHour,
  TABLES.usageDay,
];

/** Nothing lost: resolves with an empty `lost`. Throws `rejected` PART_UNRESTORABLE when the log can't give it back. */
export async function restoreLostParts(deps: CloseDeps, rewind: Rewind): Promise<Restoration> {
  const lost = await fetchLostParts(deps);
  const isClosedTotal = ({ table }: LostPart) => table === TABLES.closedUsageHour;
  const stored = lost.filter((part) => !isClosedTotal(part));
  if (stored.length > 0) return { lost: stored, ...(await restoreStored(deps, rewind, stored)), closedAgain: [] };
  if (lost.length === 0) return { lost, from: [], to: [], closedAgain: [] };
  // After the truth, never before it: closed totals are written from it.
  const closedAgain = await restoreClosedTotals(deps);
  await detach(deps, lost);
  await record(deps.db, { topic: deps.topic, parts: lost, from: [], to: [], sinceSeq: '0' });
  await checkWhole(deps, closedAgain);
  return { lost, from: [], to: [], closedAgain };
}

async function restoreStored(deps: CloseDeps, rewind: Rewind, lost: readonly LostPart[]) {
  const logged = lost.filter(({ table }) => FROM_LOG.includes(table));
  const sinceMs = logged.length === 0 ? null : await decideStart(deps, logged);
  const manifests = lost.some(({ table }) => table === TABLES.usageManifests);
  const again = await readLogAgain(deps, rewind, { sinceMs, parts: lost, manifests });
  await detach(deps, lost);
  if (lost.some(({ table }) => table === TABLES.periodRecords)) await copyPeriodRecords(deps);
  return again;
}

export type LogAgain = Pick<Restoration, 'from' | 'to'>;

type Missing = {
  /** Usage is read again from what arrived then; null: it is not. */
  readonly sinceMs: number | null;
  readonly parts: readonly LostPart[];
  readonly manifests: boolean;
};

/** Sends the sinks' groups back and records the hold: until all of it has been read again nothing is closed or adjusted. */
export async function readLogAgain(
  deps: CloseDeps,
  rewind: Rewind,
  { sinceMs, parts, manifests }: Missing,
): Promise<LogAgain> {
  // Read before the groups are: blocks behind it belong to sinks that started afterwards.
  const last = await deps.db
    .selectFrom('ingest_blocks')
    .select(({ fn }) => fn.max<string | null>('seq').as('seq'))
    .executeTakeFirst();
  const from = sinceMs === null ? [] : await rewind.usage(sinceMs);
  if (manifests) await rewind.manifests();
  const to = sinceMs === null ? [] : await deps.fetchEndOffsets();
  await deps.db.transaction().execute(async (transaction) => {
    await record(transaction, { topic: deps.topic, parts, from, to, sinceSeq: last?.seq ?? '0' });
    // Losing copies may be among what was lost, and rollups computed with them.
    await transaction.updateTable('periods').set({ conflicts_swept: null }).execute();
  });
  return { from, to };
}

type RestorationRow = LogAgain & {
  readonly parts: readonly LostPart[];
  readonly topic: string;
  readonly sinceSeq: string;
};

async function record(db: CloseDeps['db'], { topic, parts, from, to, sinceSeq }: RestorationRow): Promise<void> {
  await db
    .insertInto('part_restorations')
    .values({
      topic,
      parts: JSON.stringify(parts.map(({ table, part }) => ({ table, part }))),
      from_offsets: JSON.stringify(from.map(String)),
      to_offsets: JSON.stringify(to.map(String)),
      since_seq: sinceSeq,
      restored_at: to.length === 0 ? new Date() : null,
    })
    .execute();
}

async function detach({ clickhouse }: CloseDeps, lost: readonly LostPart[]): Promise<void> {
  for (const { table, part, setAside } of lost) {
    if (!setAside) await clickhouse.command(`ALTER TABLE ${table} DETACH PART '${part}'`);
  }
}

const MONTHLY = /^(\d{4})(\d{2})$/;

/**
 * Where the log may first hold what was lost: an event of a month arrives no earlier than a sender's clock may be ahead.
 * Months whose truth has been archived and dropped must not come back in part, so reading stays behind the last moment
 * at which one of their events could arrive.
 */
async function decideStart({ db }: CloseDeps, lost: readonly LostPart[]): Promise<number> {
  const dropped = (await fetchDroppedPeriods(db)).map((key) => parsePeriod(key).endAtMs + EVENT_LIMITS.ageMaxMs);
  const leastMs = Math.max(0, ...dropped);
  const startMs = Math.min(...lost.map((part) => startOf(part) ?? leastMs));
  if (startMs >= leastMs) return startMs;
  const names = lost.map(({ table, part }) => `${table} ${part}`).join(', ');
  throw unrestorable(
    `${names} reaches back to months that have been archived and dropped`,
    'bring the archived months back from their files or a backup first; nothing was changed',
  );
}

/** Undefined: a table without a month per partition, whose rows matter only while their blocks are being rolled up. */
function startOf({ partition }: LostPart): number | undefined {
  const [, year, month] = MONTHLY.exec(partition) ?? [];
  return year === undefined || month === undefined
    ? undefined
    : parsePeriod(`${year}-${month}`).startAtMs - EVENT_LIMITS.aheadMaxMs;
}

/**
 * Writes closed totals that are not whole again, out of the truth, and returns their periods. Throws when the truth doesn't
 * give the digest on record, `rejected` PART_UNRESTORABLE when the truth of such a month has been dropped.
 */
export async function restoreClosedTotals(deps: CloseDeps): Promise<string[]> {
  const keys = await deps.db.selectFrom('periods').select('key').where('state', '=', 'CLOSED').execute();
  const dropped = new Set(await fetchDroppedPeriods(deps.db));
  const damaged: Period[] = [];
  for (const period of keys.map(({ key }) => parsePeriod(key))) {
    if (!(await isWhole(deps, period))) damaged.push(period);
  }
  const archived = damaged.filter(({ key }) => dropped.has(key)).map(({ key }) => key);
  if (archived.length > 0) {
    throw unrestorable(
      `closed totals of ${archived.join(', ')} are lost, and the raw events of these months have been dropped`,
      'recompute them with "trueup period explain" and restore closed_usage_hour_v1 from a backup',
    );
  }
  for (const period of damaged) {
    const record = await requirePeriod(deps.db, period);
    await checkRolledUp(deps, record.barrier);
    await checkClosedDigest(deps, period, record);
    const { barrier: before, catalogue } = record;
    const parameters = { ...countedParameters({ window: period, before, catalogue }), period: period.key };
    await deps.clickhouse.command(QUERIES.closeHours, parameters);
  }
  return damaged.map(({ key }) => key);
}

export async function checkWhole(deps: CloseDeps, keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    invariant(await isWhole(deps, parsePeriod(key)), 'I4', `${key} was written again with another digest`);
  }
}

async function isWhole({ clickhouse, db }: CloseDeps, period: Period): Promise<boolean> {
  const { digest } = await requirePeriod(db, period);
  let rows: DigestRow[];
  try {
    rows = await clickhouse.query<DigestRow>(QUERIES.closedDigests, { period: period.key });
  } catch (error) {
    if (error instanceof TrueupError && error.kind === 'rejected') return false;
    throw error;
  }
  return computePeriodDigest(period.key, rows).digest === digest;
}

function unrestorable(message: string, next: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'PART_UNRESTORABLE', message, next });
}
