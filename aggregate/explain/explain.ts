// Explains a closed period: computes its total once more from what lies furthest upstream (the log; after retention the
// archive) by a second way of counting, and compares namespace by namespace, event digest by event digest, with what was
// closed. It writes nothing but scratch tables; killed, it is run again.

import { TrueupError, invariant } from '../../domain/contracts/errors.ts';
import { nextPeriod, previousPeriod, type Period } from '../../domain/period.ts';
import type { CloseDeps } from '../close.ts';
import { requirePeriod, type PeriodRecord } from '../period-record.ts';
import { computePeriodDigest, type DigestRow } from '../digest.ts';
import { countedParameters, type Window } from '../parameters.ts';
import { QUERIES } from '../queries.ts';
import { loadArchive } from '../retention/load.ts';
import { fetchArchive, isDropped } from '../retention/state.ts';
import type { Barrier } from '../usage.ts';
import { recount, withScratch, type Recount, type Scratch } from './scratch.ts';

/** Rows of usage_events_v1, as ingest would write them. */
export type LogRows = {
  readonly columns: readonly string[];
  readonly count: number;
  /** A block in the engine's columnar format. */
  readonly parts: readonly Buffer[];
};

/** Reads the log from its start up to a barrier and hands over the rows of accepted events within the window. */
export type ReadLog = (
  upTo: Barrier,
  window: Window,
  insert: (rows: LogRows) => Promise<void>,
) => Promise<{ readonly messages: bigint; readonly rejected: bigint }>;

export type Difference = {
  readonly namespace: string;
  readonly meter: string;
  readonly closed: string;
  readonly recomputed: string;
  readonly closedEvents: string;
  readonly recomputedEvents: string;
};

export type Explanation = {
  readonly period: string;
  readonly from: 'log' | 'archive' | 'truth';
  readonly barrier: Barrier;
  /** Records read; from the log that is every message before the barrier. */
  readonly read: bigint;
  readonly recordedDigest: string;
  /** Of the closed rows as they stand now. */
  readonly storedDigest: string;
  readonly recomputedDigest: string;
  readonly events: bigint;
  readonly agrees: boolean;
  readonly differences: readonly Difference[];
};

export type ExplainOptions = {
  /** Leave out to recompute from the truth table when the log is not at hand. */
  readonly readLog?: ReadLog;
};

/** Throws `rejected` PERIOD_STATE for a period that is not closed; `bug` if an archive is not what was recorded. */
export async function explainPeriod(deps: CloseDeps, period: Period, options: ExplainOptions): Promise<Explanation> {
  const record = await requirePeriod(deps.db, period);
  const { digest: recordedDigest } = record;
  if (recordedDigest === null) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'PERIOD_STATE',
      message: `${period.key} is not closed yet`,
      next: 'close it first; until then its total still moves',
    });
  }
  return withScratch(deps.clickhouse, async (scratch) => {
    const filled = await fill(deps, { period, record, scratch, options });
    const { barrier, catalogue } = record;
    const found = await recount(deps.clickhouse, scratch, {
      period: period.key,
      window: period,
      before: barrier,
      catalogue,
    });
    const stored = await deps.clickhouse.query<DigestRow>(QUERIES.closedDigests, { period: period.key });
    const storedDigest = computePeriodDigest(period.key, stored).digest;
    return {
      period: period.key,
      ...filled,
      barrier,
      recordedDigest,
      storedDigest,
      recomputedDigest: found.digest,
      events: found.events,
      agrees: found.digest === recordedDigest && storedDigest === recordedDigest,
      differences: compare(stored, found),
    };
  });
}

type Filling = {
  readonly period: Period;
  readonly record: PeriodRecord;
  readonly scratch: Scratch;
  readonly options: ExplainOptions;
};

async function fill(deps: CloseDeps, { period, record, scratch, options }: Filling) {
  const archive = await fetchArchive(deps.db, period);
  if (archive !== undefined && isDropped(archive)) {
    return { from: 'archive' as const, read: await loadArchive(deps.clickhouse, archive, scratch) };
  }
  // Copies of an identity may lie a period apart, so the neighbours are needed to know the first.
  const window = { startAtMs: previousPeriod(period).startAtMs, endAtMs: nextPeriod(period).endAtMs };
  const { readLog } = options;
  if (readLog === undefined) {
    await deps.clickhouse.command(QUERIES.copyTruth, { ...scratch, ...countedParameters({ window }) });
    return { from: 'truth' as const, read: record.events ?? 0n };
  }
  const { messages } = await readLog(record.barrier, window, async ({ columns, count, parts }) => {
    const received = await deps.clickhouse.insertNative(scratch.events, columns, parts);
    invariant(received === count, 'I1', `sent ${count} rows to ${scratch.events}, the engine received ${received}`);
  });
  return { from: 'log' as const, read: messages };
}

function compare(stored: readonly DigestRow[], found: Recount): Difference[] {
  const name = (row: DigestRow) => `${row.namespace} ${row.meter}`;
  const closed = new Map(stored.map((row) => [name(row), row]));
  const recomputed = new Map(found.rows.map((row) => [name(row), row]));
  return [...new Set([...closed.keys(), ...recomputed.keys()])].sort().flatMap((key) => {
    const [a, b] = [closed.get(key), recomputed.get(key)];
    if (a !== undefined && b !== undefined && spell(a) === spell(b)) return [];
    return [
      {
        namespace: (a ?? b)?.namespace ?? '',
        meter: (a ?? b)?.meter ?? '',
        closed: a?.total ?? '0',
        recomputed: b?.total ?? '0',
        closedEvents: a?.counted ?? '0',
        recomputedEvents: b?.counted ?? '0',
      },
    ];
  });
}

function spell(row: DigestRow): string {
  return computePeriodDigest('', [row]).digest;
}
