// Period close (promise I4): the total is a function of the log up to the barrier. The barrier is taken once, by
// business time; everything after that can be repeated, and a second close must reproduce the digest or it stops.

import { setTimeout as delay } from 'node:timers/promises';
import { invariant, TrueupError } from '../domain/contracts/errors.ts';
import { WAITS } from '../domain/contracts/waits.ts';
import { parseWhole } from '../domain/decimal.ts';
import { catalogueColumns, type MeterName } from '../domain/meter.ts';
import { nextPeriod, previousPeriod, toIso, type Period } from '../domain/period.ts';
import type { ClickHouse } from '../platform/clickhouse.ts';
import { checkLogLayout } from '../platform/log-layout.ts';
import type { Postgres } from '../platform/postgres.ts';
import { checkWholeUpTo } from './damage.ts';
import { computePeriodDigest, type DigestRow } from './digest.ts';
import { fromMeter } from './meters.ts';
import { adoptPeriodRecords, copyPeriodRecord } from './period-copies.ts';
import { fetchPeriod, requirePeriod, type PeriodRecord } from './period-record.ts';
import { countedParameters } from './parameters.ts';
import { fetchPosition } from './log-position.ts';
import { QUERIES } from './queries.ts';
import { requireTruth } from './retention/state.ts';
import { recomputeTouched } from './rollup.ts';
import type { AggregateTables } from './tables.ts';
import type { Barrier, ClosedPeriod } from './usage.ts';

export type CloseDeps = {
  readonly clickhouse: ClickHouse;
  readonly db: Postgres<AggregateTables>;
  readonly topic: string;
  fetchEndOffsets(): Promise<Barrier>;
  /**
   * A second clock where business time is the wall clock, epoch ms (witness.ts). A barrier can't be taken back, so one
   * machine whose clock jumped ahead must not be able to take it alone.
   */
  fetchWitnessMs?(): Promise<number>;
};

/** How far business time may run ahead of the second clock. */
const WITNESS_TOLERANCE_MS = 5 * 60_000;

const MISMATCH_LOOKS = 5;
/** So many are enough to name what is wrong. */
const MISMATCHES_NAMED = 100;
const MISMATCH_LOOK_DELAY_MS = 2_000;

export async function takeBarrier(deps: CloseDeps, period: Period, nowMs: number): Promise<Barrier> {
  // First, so that a clock that went back does not hide a barrier that stands.
  const known = await fetchPeriod(deps.db, period);
  if (known !== undefined) return vouchFor(deps, period, known);
  await adoptPeriodRecords(deps);
  const adopted = await fetchPeriod(deps.db, period);
  if (adopted !== undefined) return adopted.barrier;
  const dueAtMs = period.endAtMs + WAITS.graceMs;
  if (nowMs < dueAtMs) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'PERIOD_NOT_ENDED',
      message: `${period.key} is in grace until ${toIso(dueAtMs)}, it is ${toIso(nowMs)}`,
      next: 'take the barrier when grace is over',
    });
  }
  await checkWitness(deps, nowMs);
  const barrier = await fetchLogEnds(deps);
  await checkLogLayout(deps.db, { topic: deps.topic, partitions: barrier.length });
  await deps.db
    .insertInto('periods')
    .values({
      key: period.key,
      state: 'CLOSING',
      topic: deps.topic,
      barrier: JSON.stringify(barrier.map(String)),
      barrier_at: new Date(nowMs),
      catalogue: JSON.stringify(catalogueColumns()),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  // Of two closers at once one wrote first; both go by what is stored.
  return vouchFor(deps, period, await requirePeriod(deps.db, period));
}

/** The barrier, once its second copy stands. */
async function vouchFor(deps: CloseDeps, period: Period, record: PeriodRecord): Promise<Barrier> {
  await copyPeriodRecord(deps, period.key, record);
  return record.barrier;
}

async function checkWitness(deps: CloseDeps, nowMs: number): Promise<void> {
  const witnessMs = await deps.fetchWitnessMs?.();
  if (witnessMs === undefined || nowMs - witnessMs <= WITNESS_TOLERANCE_MS) return;
  throw new TrueupError({
    kind: 'unavailable',
    code: 'PERIOD_NOT_ENDED',
    message: `this machine says ${toIso(nowMs)}, the database ${toIso(witnessMs)}; no barrier is taken on a doubtful clock`,
    next: 'correct the clock; the close goes on by itself',
  });
}

/**
 * The log's end offsets, checked against what has been stored: an answer that lacks a known partition, or ends before
 * what was read from it, is not the log this period was counted from, and a barrier taken from it would lose usage.
 */
async function fetchLogEnds(deps: CloseDeps): Promise<Barrier> {
  const { db, topic } = deps;
  // Before the log is asked: what is stored meanwhile lies behind its answer.
  const stored = await fetchPosition(db, topic);
  const ends = await deps.fetchEndOffsets();
  for (const [partition, end] of stored.entries()) {
    const logEnd = ends[partition];
    const message = `partition ${partition} of ${topic} ends at ${logEnd ?? 'nothing'}, but is stored up to ${end}`;
    invariant(logEnd !== undefined && logEnd >= end, 'I4', message);
  }
  return ends;
}

/**
 * Names every conflict of the period and takes the losing copies out of its rollups. Copies of an identity may lie a
 * period apart, so the neighbours are read too. Rollups are recomputed only when a conflict is new since the last time.
 */
export async function resolveConflicts({ clickhouse, db }: CloseDeps, period: Period): Promise<void> {
  const wide = windowParameters(previousPeriod(period).startAtMs, nextPeriod(period).endAtMs);
  await clickhouse.command(QUERIES.findConflicts, wide);
  // Read before they are marked: a conflict that somebody adds in between is marked too, and only looks new once more.
  const [found] = await clickhouse.query<{ digest: string }>(QUERIES.conflictDigest, wide);
  invariant(found !== undefined, 'I6', 'the conflicts were not answered');
  const { conflictsSwept } = await requirePeriod(db, period);
  if (conflictsSwept === found.digest) return;
  const block = `conflicts-${period.key}`;
  await clickhouse.command(QUERIES.markConflicts, { ...wide, block });
  await recomputeTouched({ clickhouse, db }, [block]);
  await db.updateTable('periods').set({ conflicts_swept: found.digest }).where('key', '=', period.key).execute();
}

export async function closePeriod(deps: CloseDeps, period: Period, nowMs: number): Promise<ClosedPeriod> {
  const record = await requirePeriod(deps.db, period);
  await requireTruth(deps.db, period);
  const { barrier } = record;
  await checkWholeUpTo(deps, barrier);
  await resolveConflicts(deps, period);
  const expected = await recomputeDigest(deps, period, record);
  if (record.digest !== null && record.digest !== expected) throw digestChanged(period, record.digest, expected);
  const { digest, events } = await writeHours(deps, period, { record, expected });
  await checkRollupsEqualRaw(deps, period, barrier);
  // Once more: what was read meanwhile may have lacked a part that an operator, or the engine itself, set aside.
  await checkWholeUpTo(deps, barrier);
  await deps.db
    .updateTable('periods')
    // A clock that went back between barrier and close must not date the one before the other.
    .set({
      state: 'CLOSED',
      digest,
      events: events.toString(),
      closed_at: new Date(Math.max(nowMs, record.barrierAtMs)),
    })
    .where('key', '=', period.key)
    .where('state', '=', 'CLOSING')
    .execute();
  const final = await requirePeriod(deps.db, period);
  if (final.digest !== digest) throw digestChanged(period, final.digest ?? '', digest);
  await copyPeriodRecord(deps, period.key, final);
  return { period: period.key, barrier, digest, events };
}

type ToWrite = { readonly record: PeriodRecord; readonly expected: string };

/** The digest is read back from what was written, so it vouches for the stored hours and not only for the sum. */
async function writeHours({ clickhouse }: CloseDeps, period: Period, { record, expected }: ToWrite) {
  const parameters = { ...barrierParameters(period, record), period: period.key };
  const readBack = async () =>
    computePeriodDigest(period.key, await clickhouse.query<DigestRow>(QUERIES.closedDigests, { period: period.key }));
  await clickhouse.command(QUERIES.closeHours, parameters);
  let stored = await readBack();
  if (stored.digest !== expected) {
    // An attempt that stopped may have written hours that the truth no longer has.
    await clickhouse.command(QUERIES.emptyVanishedHours, parameters);
    stored = await readBack();
  }
  const found = `hours of ${period.key} were stored with digest ${stored.digest}, its log gives ${expected}`;
  invariant(stored.digest === expected, 'I4', found);
  return stored;
}

/** What the truth gives as of the barrier. */
async function recomputeDigest({ clickhouse }: CloseDeps, period: Period, record: PeriodRecord): Promise<string> {
  const rows = await clickhouse.query<DigestRow>(QUERIES.recomputedDigests, barrierParameters(period, record));
  return computePeriodDigest(period.key, rows).digest;
}

function barrierParameters(period: Period, { barrier, catalogue }: PeriodRecord): Record<string, unknown> {
  return countedParameters({ window: period, before: barrier, catalogue });
}

/**
 * Throws `bug` CLOSE_DIGEST_CHANGED when the truth no longer gives what was closed: whatever is computed from it then, a
 * second close or an adjustment, would bill the damage.
 */
export async function checkClosedDigest(deps: CloseDeps, period: Period, record: PeriodRecord): Promise<void> {
  if (record.digest === null) return;
  const found = await recomputeDigest(deps, period, record);
  if (found !== record.digest) throw digestChanged(period, record.digest, found);
}

/** Throws `bug` naming the first windows whose rollup is not what the truth says (promise I3). */
async function checkRollupsEqualRaw(deps: CloseDeps, period: Period, before: Barrier): Promise<void> {
  const mismatches = await fetchStandingMismatches(deps, period, { before });
  const sample = mismatches.slice(0, 3).map(formatMismatch).join('; ');
  invariant(mismatches.length === 0, 'I3', `${mismatches.length} windows of ${period.key} differ from raw: ${sample}`);
}

/** A window whose rollup is not what it should be. A minute should be its raw events, hours and days their minutes. */
export type RollupMismatch = {
  readonly namespace: string;
  readonly meter: MeterName;
  readonly grain: 'minute' | 'hour' | 'day';
  /** `2026-10-03 10:00:00` for a minute, `2026-10-03` for the hours of a day and the day. */
  readonly window: string;
  readonly right: bigint;
  readonly counted: bigint;
};

/** `limit` caps the windows of each kind that are looked at. */
type MismatchOptions = { readonly before?: Barrier; readonly limit?: number };

/** A rollup pass may be between two grains while this reads, so only a window that differs alike at every look counts. */
export async function fetchStandingMismatches(
  deps: CloseDeps,
  period: Period,
  options: MismatchOptions,
): Promise<RollupMismatch[]> {
  let mismatches = await fetchRollupMismatches(deps, period, options);
  for (let look = 1; mismatches.length > 0 && look < MISMATCH_LOOKS; look += 1) {
    await delay(MISMATCH_LOOK_DELAY_MS);
    const seen = new Set(mismatches.map(formatMismatch));
    const again = await fetchRollupMismatches(deps, period, options);
    mismatches = again.filter((mismatch) => seen.has(formatMismatch(mismatch)));
  }
  return mismatches;
}

/** By the catalogue that the period's close pinned, as its digest is: weights that changed since are no damage. */
export async function fetchRollupMismatches(
  { clickhouse, db }: CloseDeps,
  period: Period,
  { before, limit = MISMATCHES_NAMED }: MismatchOptions = {},
): Promise<RollupMismatch[]> {
  const pinned = await fetchPeriod(db, period);
  const counted = countedParameters({
    window: period,
    ...(before === undefined ? {} : { before }),
    ...(pinned === undefined ? {} : { catalogue: pinned.catalogue }),
  });
  const parameters = { ...counted, limit };
  type Of = { namespace: string; meter: string };
  const minutes = await clickhouse.query<Of & { at: string; rolled_up: string; recomputed: string }>(
    QUERIES.rollupMismatches,
    parameters,
  );
  const days = await clickhouse.query<Of & { day: string; minutes: string; hours: string; days: string }>(
    QUERIES.grainMismatches,
    parameters,
  );
  const ofMinutes = minutes.map(({ namespace, meter, at, ...units }): RollupMismatch => {
    const [right, counted] = [parseWhole(units.recomputed), parseWhole(units.rolled_up)];
    return { namespace, meter: fromMeter(meter), grain: 'minute', window: at, right, counted };
  });
  const ofDays = days.map(({ namespace, meter, day, ...units }): RollupMismatch => {
    const grain = units.hours === units.minutes ? 'day' : 'hour';
    const [right, counted] = [parseWhole(units.minutes), parseWhole(grain === 'day' ? units.days : units.hours)];
    return { namespace, meter: fromMeter(meter), grain, window: day, right, counted };
  });
  return [...ofMinutes, ...ofDays];
}

function formatMismatch({ namespace, meter, grain, window, right, counted }: RollupMismatch): string {
  return `${meter} of ${namespace}, ${grain} of ${window}: ${counted} instead of ${right}`;
}

function windowParameters(startAtMs: number, endAtMs: number): Record<string, unknown> {
  return countedParameters({ window: { startAtMs, endAtMs } });
}

function digestChanged(period: Period, recorded: string, found: string): TrueupError {
  return new TrueupError({
    kind: 'bug',
    code: 'CLOSE_DIGEST_CHANGED',
    message: `${period.key} was closed with digest ${recorded} but its log gives ${found}`,
    next: 'stop billing this period and compare the block log with the truth table',
  });
}
