// The typed usage door: the only file of this room that other rooms import. Every read that fails throws; an answer of
// zero is a zero that was read (promise I6).

import { invariant } from '../domain/contracts/errors.ts';
import { parseWhole } from '../domain/decimal.ts';
import type { MeterName } from '../domain/meter.ts';
import type { Period } from '../domain/period.ts';
import {
  closePeriod,
  fetchRollupMismatches,
  resolveConflicts,
  takeBarrier,
  type CloseDeps,
  type RollupMismatch,
} from './close.ts';
import { fetchAdjustments, recordAdjustments } from './adjustments.ts';
import { checkRolledUp, fetchRestoration } from './block-log.ts';
import { fetchAccepted } from './fates.ts';
import { fromMeter } from './meters.ts';
import { fetchMiscounts, type Miscounts } from './miscounts.ts';
import { countedParameters } from './parameters.ts';
import { fetchPeriod, requirePeriod } from './period-record.ts';
import { QUERIES } from './queries.ts';
import { createUsageReads, type UsageReads } from './reads.ts';
import { fetchArchivedCounts } from './retention/counts.ts';
import { requireTruth } from './retention/state.ts';
import { fetchShortSources, type ShortSource } from './short-sources.ts';
import { fetchSourceHours, type SourceSelection } from './source-usage.ts';

export type { UsageReads } from './reads.ts';
export type { Miscount, Miscounts } from './miscounts.ts';
export type { ShortSource } from './short-sources.ts';
export type { SourceSelection } from './source-usage.ts';
export type { AggregateTables as UsageTables } from './tables.ts';
export { fetchDatabaseNowMs } from './witness.ts';

/** End offset per partition, index = partition number. A record belongs before the barrier if its offset is below. */
export type Barrier = readonly bigint[];

export type ClosedPeriod = {
  readonly period: string;
  readonly barrier: Barrier;
  /** SHA-256 over the sorted totals and event digests per namespace and meter. */
  readonly digest: string;
  /** Distinct counted events before the barrier. */
  readonly events: bigint;
};

/** Whole meter units; `quantity` is never negative. */
export type HourTotal = { readonly meter: MeterName; readonly hourAtMs: number; readonly quantity: bigint };

export type AccountHour = HourTotal & { readonly account: string };

export type NamespaceTotal = {
  readonly account: string;
  readonly namespace: string;
  readonly meter: MeterName;
  readonly quantity: bigint;
  readonly events: bigint;
};

/** A namespace whose period total changed behind the barrier. */
export type LateTotal = {
  readonly account: string;
  readonly namespace: string;
  readonly meter: MeterName;
  readonly closed: bigint;
  readonly withLate: bigint;
};

export type IngestCounts = {
  /** Of the log, by its end offsets. */
  readonly messages: bigint;
  /** Stored as usage, by the record of every block: with `rejected`, each message has one fate. */
  readonly accepted: bigint;
  readonly rejected: bigint;
  readonly rejectedByReason: Readonly<Record<string, bigint>>;
  /** Losing copies of conflicting identities. */
  readonly conflicts: bigint;
  /** Distinct identities in the truth, conflicts' losers not counted. */
  readonly unique: bigint;
};

export type Usage = {
  /** End offsets of the usage topic right now. */
  fetchEndOffsets(): Promise<Barrier>;
  /**
   * The barrier of a period: taken from the log at the first call, the same for ever after.
   * Throws `rejected` PERIOD_NOT_ENDED before the end of grace by `nowMs` (business time).
   */
  takeBarrier(period: Period, nowMs: number): Promise<Barrier>;
  /** The barrier of a period whose close has begun; null while it is open or in grace. */
  fetchBarrier(period: Period): Promise<Barrier | null>;
  /** The truth lacks rows that are being read again from the log: open hours look smaller than they are. */
  isBeingRestored(): Promise<boolean>;
  /** Throws `unavailable` ROLLUP_BEHIND until everything before `barrier` is stored, contiguous and rolled up. */
  checkRolledUp(barrier: Barrier): Promise<void>;
  /**
   * Closes a period whose barrier was taken: names conflicts, fixes hour totals as of the barrier, checks rollup = raw,
   * records the digest. A second call recomputes everything and throws `bug` CLOSE_DIGEST_CHANGED if the digest moved.
   * Throws `unavailable` ROLLUP_BEHIND or USAGE_DAMAGED while what is stored up to the barrier is not whole (damage.ts).
   */
  closePeriod(period: Period, nowMs: number): Promise<ClosedPeriod>;
  /** Hour totals of one account as closed, summed over its namespaces, zero hours left out. */
  fetchClosedHours(period: Period, account: string): Promise<HourTotal[]>;
  /** The same for several accounts at once; an account without usage has no entry. */
  fetchClosedHoursOf(period: Period, accounts: readonly string[]): Promise<ReadonlyMap<string, readonly HourTotal[]>>;
  /** Period totals as closed, per namespace and meter, ordered. Includes namespaces of unknown accounts. */
  fetchClosedTotals(period: Period): Promise<NamespaceTotal[]>;
  /**
   * Namespaces whose total as of `upTo` differs from the closed one. Requires checkRolledUp(upTo) to have passed; throws
   * `rejected` PERIOD_STATE once the period has been archived and dropped.
   */
  fetchLateTotals(period: Period, upTo: Barrier): Promise<LateTotal[]>;
  /**
   * Months that were archived and dropped count as archived; throws `rejected` PERIOD_STATE for a barrier before that.
   */
  fetchIngestCounts(upTo: Barrier): Promise<IngestCounts>;
  /** Distinct events the sources say they produced so far; null when none of them has sent a manifest. */
  fetchManifestEvents(): Promise<bigint | null>;
  /**
   * Sources that announced more events of the period, hour by hour, than were accepted or rejected by name, ordered. Throws
   * `rejected` PERIOD_STATE once the period has been archived and dropped.
   */
  fetchShortSources(period: Period): Promise<ShortSource[]>;
  /**
   * The first minutes, hours and days of the period that differ from a recomputation out of the truth; empty when I3 holds.
   * Throws `rejected` PERIOD_STATE once the period has been archived and dropped.
   */
  fetchRollupMismatches(period: Period): Promise<RollupMismatch[]>;
  /**
   * What of the period's usage before `upTo` counts wrongly: rollups that stay different from their raw events, identities
   * that count more than once. Throws `rejected` PERIOD_STATE once the period has been archived and dropped.
   */
  fetchMiscounts(period: Period, upTo: Barrier): Promise<Miscounts>;
};

/** What a closed period turned out to be besides its closed total, posted to a period that was open then. */
export type Adjustment = {
  readonly period: string;
  /** Counts the period's adjustments from 1. */
  readonly k: number;
  /** The open period that carries it. */
  readonly postedTo: string;
  readonly upTo: Barrier;
  readonly account: string;
  readonly namespace: string;
  readonly meter: MeterName;
  /** Meter units, never zero; negative where voids took usage back. */
  readonly quantity: bigint;
};

/** `k` is null when the log up to the barrier changed nothing that is not posted already. */
export type AdjustmentRun = {
  readonly period: string;
  readonly k: number | null;
  readonly adjustments: readonly Adjustment[];
};

export type Adjustments = {
  /**
   * Records what the log up to `upTo` changes about a closed period: recomputation minus closed minus all earlier
   * adjustments, posted to the first period behind it that is still open. Asking again for a barrier answers what was
   * recorded. Throws `rejected` PERIOD_STATE for an open or archived period and for a barrier before an earlier one,
   * `unavailable` as a close does.
   */
  recordAdjustments(period: Period, upTo: Barrier): Promise<AdjustmentRun>;
  /** All adjustments of a closed period, in the order in which they were recorded. */
  fetchAdjustments(period: Period): Promise<Adjustment[]>;
};

export type SourceUsage = {
  /**
   * What one source's events count for in a closed period, as of its barrier: a part of the closed hours, and like them of
   * unregistered accounts too. Throws `rejected` PERIOD_STATE while the period is open, once its raw events were archived and
   * dropped, and for a window that is not inside it.
   */
  fetchSourceHours(period: Period, selection: SourceSelection): Promise<AccountHour[]>;
};

export function createUsage(deps: CloseDeps): Usage & Adjustments & UsageReads & SourceUsage {
  return {
    ...createUsageReads(deps),
    fetchEndOffsets: async () => deps.fetchEndOffsets(),
    takeBarrier: async (period, nowMs) => takeBarrier(deps, period, nowMs),
    fetchBarrier: async (period) => (await fetchPeriod(deps.db, period))?.barrier ?? null,
    isBeingRestored: async () => (await fetchRestoration(deps)) !== undefined,
    checkRolledUp: async (barrier) => checkRolledUp(deps, barrier),
    closePeriod: async (period, nowMs) => closePeriod(deps, period, nowMs),
    fetchClosedHours: async (period, account) => fetchClosedHours(deps, period, account),
    fetchClosedHoursOf: async (period, accounts) => fetchClosedHoursOf(deps, period, accounts),
    fetchClosedTotals: async (period) => fetchClosedTotals(deps, period),
    fetchLateTotals: async (period, upTo) => fetchLateTotals(deps, period, upTo),
    fetchIngestCounts: async (upTo) => fetchIngestCounts(deps, upTo),
    fetchManifestEvents: async () => fetchManifestEvents(deps),
    fetchShortSources: async (period) => fetchShortSources(deps, period),
    fetchRollupMismatches: async (period) => {
      await requireTruth(deps.db, period);
      return fetchRollupMismatches(deps, period);
    },
    fetchMiscounts: async (period, upTo) => fetchMiscounts(deps, period, upTo),
    recordAdjustments: async (period, upTo) => recordAdjustments(deps, period, upTo),
    fetchAdjustments: async (period) => fetchAdjustments(deps.db, period),
    fetchSourceHours: async (period, selection) => fetchSourceHours(deps, period, selection),
  };
}

async function fetchClosedHours({ clickhouse }: CloseDeps, period: Period, account: string): Promise<HourTotal[]> {
  const parameters = { period: period.key, account };
  const rows = await clickhouse.query<{ meter: string; hour: number; units: string }>(
    QUERIES.closedHoursOfAccount,
    parameters,
  );
  return rows.map((row) => ({
    meter: fromMeter(row.meter),
    hourAtMs: row.hour * 1000,
    quantity: parseWhole(row.units),
  }));
}

async function fetchClosedHoursOf(
  { clickhouse }: CloseDeps,
  period: Period,
  accounts: readonly string[],
): Promise<ReadonlyMap<string, readonly HourTotal[]>> {
  type Row = { account: string; hours: [meter: string, hour: number, units: string][] };
  const parameters = { period: period.key, accounts: [...accounts] };
  const rows = await clickhouse.query<Row>(QUERIES.closedHoursOfAccounts, parameters);
  return new Map(
    rows.map(({ account, hours }) => [
      account,
      hours.map(([meter, hour, units]) => ({
        meter: fromMeter(meter),
        hourAtMs: hour * 1000,
        quantity: parseWhole(units),
      })),
    ]),
  );
}

type TotalRow = { account: string; namespace: string; meter: string };

async function fetchClosedTotals({ clickhouse }: CloseDeps, period: Period): Promise<NamespaceTotal[]> {
  const rows = await clickhouse.query<TotalRow & { total: string; counted: string }>(QUERIES.closedTotals, {
    period: period.key,
  });
  return rows.map(({ account, namespace, meter, total, counted }) => ({
    account,
    namespace,
    meter: fromMeter(meter),
    quantity: parseWhole(total),
    events: BigInt(counted),
  }));
}

async function fetchLateTotals(deps: CloseDeps, period: Period, upTo: Barrier): Promise<LateTotal[]> {
  const { barrier, catalogue } = await requirePeriod(deps.db, period);
  await requireTruth(deps.db, period);
  // A losing copy that came late must not show as usage.
  await resolveConflicts(deps, period);
  const rows = await deps.clickhouse.query<TotalRow & { closed_units: string; late_units: string }>(
    QUERIES.lateTotals,
    {
      ...countedParameters({ window: period, before: upTo, catalogue }),
      closed_before: barrier,
      period: period.key,
    },
  );
  return rows.map(({ account, namespace, meter, closed_units: closed, late_units: withLate }) => ({
    account,
    namespace,
    meter: fromMeter(meter),
    closed: parseWhole(closed),
    withLate: parseWhole(withLate),
  }));
}

/** The log holds no gaps (producers are idempotent, not transactional), so end offsets count its messages. */
async function fetchIngestCounts(deps: CloseDeps, upTo: Barrier): Promise<IngestCounts> {
  const { clickhouse, db } = deps;
  const before = [...upTo];
  const archived = await fetchArchivedCounts(db, upTo);
  const [totals] = await clickhouse.query<{ unique: string; conflicts: string }>(QUERIES.ingestCounts, {
    before,
    dropped: archived.periods,
  });
  const reasons = await clickhouse.query<{ reason: string; records: string }>(QUERIES.rejectedCounts, { before });
  invariant(totals !== undefined, 'I6', 'the counts of the truth were not answered');
  const messages = upTo.reduce((sum, end) => sum + end, 0n);
  const rejected = reasons.reduce((sum, row) => sum + BigInt(row.records), 0n);
  return {
    messages,
    rejected,
    accepted: await fetchAccepted(deps, upTo),
    rejectedByReason: Object.fromEntries(reasons.map((row) => [row.reason, BigInt(row.records)])),
    conflicts: BigInt(totals.conflicts),
    unique: BigInt(totals.unique) + archived.unique,
  };
}

async function fetchManifestEvents({ clickhouse }: CloseDeps): Promise<bigint | null> {
  const rows = await clickhouse.query<{ manifests: string; produced: string }>(QUERIES.manifestEvents);
  const row = rows[0];
  invariant(row !== undefined, 'I6', 'the manifests were not answered');
  return row.manifests === '0' ? null : BigInt(row.produced);
}
