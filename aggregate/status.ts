// Where a period stands: its state by clock and record, how far the log is stored and rolled up to its barrier, what was
// closed, what was adjusted, what retention did.

import { WAITS } from '../domain/contracts/waits.ts';
import type { Period } from '../domain/period.ts';
import { fetchAdjustments } from './adjustments.ts';
import { fetchBlockLog, fetchRestoration } from './block-log.ts';
import type { CloseDeps } from './close.ts';
import { fetchPeriod } from './period-record.ts';
import { computeCoverage, type Coverage } from './coverage.ts';
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
  const { from, ranges } = await fetchBlockLog(deps);
  const adjustments = await fetchAdjustments(deps.db, period);
  const archive = await fetchArchive(deps.db, period);
  return {
    period: period.key,
    state: record === undefined ? stateByClock(period, nowMs) : adjustments.length > 0 ? 'ADJUSTED' : record.state,
    dueAtMs: period.endAtMs + WAITS.graceMs,
    barrier,
    barrierAtMs: record?.barrierAtMs ?? null,
    logEnds,
    stored: logEnds.map((_, partition) =>
      contiguousEnd(
        ranges.filter((range) => range.partition === partition),
        from[partition] ?? 0n,
      ),
    ),
    coverage: restoration ?? computeCoverage(ranges, barrier, from),
    restoring: restoration !== undefined,
    closedAtMs: record?.closedAtMs ?? null,
    digest: record?.digest ?? null,
    events: record?.events ?? null,
    adjustments,
    archive: archive?.state ?? null,
  };
}

function stateByClock(period: Period, nowMs: number): PeriodState {
  if (nowMs < period.startAtMs) return 'FUTURE';
  if (nowMs < period.endAtMs) return 'OPEN';
  return nowMs < period.endAtMs + WAITS.graceMs ? 'GRACE' : 'DUE';
}

function contiguousEnd(ranges: readonly { firstOffset: bigint; endOffset: bigint }[], from: bigint): bigint {
  let end = from;
  for (const range of ranges.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))) {
    if (range.firstOffset > end) break;
    if (range.endOffset > end) end = range.endOffset;
  }
  return end;
}
