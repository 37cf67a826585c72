// Whether a look found an objective kept. Pure. What is not known is not kept: it counts against the objective, or an
// outage of the watcher's own servers would look like a good month.

import type { FindingKind } from '../domain/contracts/integrity-findings.ts';
import type { SLOS } from '../domain/contracts/metrics/watch.ts';
import type { Books } from '../reconcile/books.ts';
import { computeOverdueMs } from './period-steps.ts';
import type { Standing } from './standing.ts';

export type Slo = (typeof SLOS)[number];
export type Verdict = 'good' | 'bad' | 'unknown';

/** Usage is fresh while everything in the log is in the rollups within five minutes. */
export const FRESH_WITHIN_MS = 5 * 60_000;
/** Money in doubt over money invoiced: a tenth of a percent. */
export const DRIFT_MAX = 0.001;

const INCOMPLETE: ReadonlySet<FindingKind> = new Set([
  'SOURCE_SHORT',
  'MANIFEST_MISSING',
  'SOURCE_SILENT',
  'BLOCK_GAP',
  'BLOCK_MISSING',
  'PART_LOST',
  'TRUTH_MISSING',
]);

/**
 * How many looks one stands for: one that took the time of several counts as several. In an outage looks are slow, and it
 * must not weigh less by that.
 */
export function countDue(beforeAtMs: number | undefined, atMs: number, everyMs: number): number {
  return beforeAtMs === undefined ? 1 : Math.max(1, Math.round((atMs - beforeAtMs) / everyMs));
}

export function judge(standing: Standing, freshnessMs: number | null): Record<Slo, Verdict> {
  const { findings, books, clock, period } = standing;
  const nowMs = clock.ok ? clock.value.businessNowMs : null;
  return {
    'usage-freshness': freshnessMs === null ? 'unknown' : verdict(freshnessMs <= FRESH_WITHIN_MS),
    'usage-completeness': findings.ok
      ? verdict(!findings.value.open.some(({ kind }) => INCOMPLETE.has(kind)))
      : 'unknown',
    'reconciliation-drift': books.ok
      ? verdict([...computeDrift(books.value).values()].every((ratio) => ratio <= DRIFT_MAX))
      : 'unknown',
    'reconciliation-age':
      books.ok && nowMs !== null ? verdict(books.value.unsettled.every(({ dueAtMs }) => dueAtMs >= nowMs)) : 'unknown',
    'invoice-run':
      period.ok && nowMs !== null
        ? verdict(
            (['barrier', 'close', 'report'] as const).every(
              (step) => computeOverdueMs(period.value.steps, step, nowMs) === 0,
            ),
          )
        : 'unknown',
  };
}

function verdict(kept: boolean): Verdict {
  return kept ? 'good' : 'bad';
}

/** By currency: absolute money of unsettled cases of the newest reported period over what was invoiced for it. */
export function computeDrift({ unsettled, newestRun }: Books): Map<string, number> {
  if (newestRun === null || !newestRun.reported) return new Map();
  const of = unsettled.filter(({ period }) => period === newestRun.period);
  return new Map(
    [...newestRun.invoicedMinor].map(([currency, invoiced]) => {
      const open = of.filter((one) => one.currency === currency).reduce((sum, one) => sum + one.amountMinor, 0n);
      return [currency, open === 0n ? 0 : invoiced === 0n ? 1 : Number((open * 1_000_000n) / invoiced) / 1e6];
    }),
  );
}
