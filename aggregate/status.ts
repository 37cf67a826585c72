// Where a period stands: its state by clock and record, how far the log is stored and rolled up to its barrier and beyond
// it, what was closed, what was adjusted, what retention did.

import { WAITS } from '../domain/contracts/waits.ts';
import type { Period } from '../domain/period.ts';
import { fetchAdjustments } from './adjustments.ts';
import { fetchOpenLog, fetchRestoration } from './block-log.ts';
import type { CloseDeps } from './close.ts';
import { fetchPeriod } from './period-record.ts';
import { computeCoverage, type Coverage } from './coverage.ts';
import { computePeriodDigest, type DigestRow } from './digest.ts';
import { QUERIES } from './queries.ts';
import { fetchArchive } from './retention/state.ts';
import type { Adjustment, Barrier } from './usage.ts';

/** DUE: grace is over and nobody took the barrier yet. Nothing returns to an earlier state. */
export type PeriodState = 'FUTURE' | 'OPEN' | 'GRACE' | 'DUE' | 'CLOSING' | 'CLOSED' | 'ADJUSTED';

export type PeriodStatus = {
  readonly period: string;
  readonly state: PeriodState;
  /** When the barrier may be taken. */
  readonly dueAtMs: number;
  /** The period's barrier; the log's ends while there is none. */
  readonly barrier: Barrier;
  readonly barrierAtMs: number | null;
  readonly logEnds: Barrier;
  /** Stored without a gap up to here, per partition. */
  readonly stored: Barrier;
  /** Records before the barrier that are not stored yet, per partition. */
  readonly lag: Barrier;
  /** Records behind the barrier, per partition; none while it is not taken. */
  readonly beyond: Barrier;
  /** Those of them that are not stored yet. */
  readonly beyondLag: Barrier;
  readonly coverage: Coverage;
  /** Lost parts are being restored, and `coverage` is that of the log read again. */
  readonly restoring: boolean;
  readonly closedAtMs: number | null;
  readonly digest: string | null;
  readonly events: bigint | null;
  readonly adjustments: readonly Adjustment[];
  readonly archive: string | null;
};

export async function fetchPeriodStatus(deps: CloseDeps, period: Period, nowMs: number): Promise<PeriodStatus> {
  const record = await fetchPeriod(deps.db, period);
  const logEnds = await deps.fetchEndOffsets();
  const barrier = record?.barrier ?? logEnds;
  const restoration = await fetchRestoration(deps);
  const log = await fetchOpenLog(deps, barrier);
  const adjustments = await fetchAdjustments(deps.db, period);
  const archive = await fetchArchive(deps.db, period);
  const stored = logEnds.map((_, partition) => log[partition]?.stored ?? 0n);
  return {
    period: period.key,
    state: record === undefined ? stateByClock(period, nowMs) : adjustments.length > 0 ? 'ADJUSTED' : record.state,
    dueAtMs: period.endAtMs + WAITS.graceMs,
    barrier,
    barrierAtMs: record?.barrierAtMs ?? null,
    logEnds,
    stored,
    lag: distances(stored, barrier),
    beyond: distances(barrier, logEnds),
    beyondLag: distances(
      stored.map((end, partition) => laterOf(end, barrier[partition] ?? 0n)),
      logEnds,
    ),
    coverage: restoration ?? computeCoverage(log, barrier),
    restoring: restoration !== undefined,
    closedAtMs: record?.closedAtMs ?? null,
    digest: record?.digest ?? null,
    events: record?.events ?? null,
    adjustments,
    archive: archive?.state ?? null,
  };
}

/** What was closed of one namespace and meter; numbers as text, as they enter the period's digest. */
export type NamespaceDigest = {
  readonly namespace: string;
  readonly meter: string;
  readonly total: string;
  readonly events: string;
  /** Sum and exclusive or of the 128-bit digests of its events. */
  readonly sum: string;
  readonly xor: string;
};

export type NamespaceDigests = {
  readonly digests: readonly NamespaceDigest[];
  /** Whether they come to the digest on record. */
  readonly agree: boolean;
};

/** Of the closed rows as they stand now; none before the close. */
export async function fetchNamespaceDigests(deps: CloseDeps, period: Period): Promise<NamespaceDigests> {
  const digest = (await fetchPeriod(deps.db, period))?.digest ?? null;
  if (digest === null) return { digests: [], agree: true };
  const rows = await deps.clickhouse.query<DigestRow>(QUERIES.closedDigests, { period: period.key });
  return {
    digests: rows.map(({ namespace, meter, total, counted: events, sum_of_digests: sum, xor_of_digests: xor }) => ({
      namespace,
      meter,
      total,
      events,
      sum,
      xor,
    })),
    agree: computePeriodDigest(period.key, rows).digest === digest,
  };
}

/** How far `to` lies behind `from`, per partition; not at all where it lies before. */
function distances(from: Barrier, to: Barrier): Barrier {
  return to.map((end, partition) => laterOf(end - (from[partition] ?? 0n), 0n));
}

function laterOf(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

function stateByClock(period: Period, nowMs: number): PeriodState {
  if (nowMs < period.startAtMs) return 'FUTURE';
  if (nowMs < period.endAtMs) return 'OPEN';
  return nowMs < period.endAtMs + WAITS.graceMs ? 'GRACE' : 'DUE';
}
