// The steps of a billing period after its end, and when each is due in business time. Pure.

import type { PERIOD_STEPS } from '../domain/contracts/metrics/watch.ts';
import { WAITS } from '../domain/contracts/waits.ts';
import { periodOf, previousPeriod, type Period } from '../domain/period.ts';

export type StepName = (typeof PERIOD_STEPS)[number];

export type PeriodStep = {
  readonly period: string;
  readonly step: StepName;
  /** From when it can be done. */
  readonly fromMs: number;
  /** By when it should be. */
  readonly dueMs: number;
  readonly done: boolean;
};

export type PeriodRecord = {
  readonly barrier: boolean;
  readonly closed: boolean;
  readonly reported: boolean;
  readonly signed: boolean;
};

/** How many ended periods are looked at: one that was forgotten for longer shows in its report's age. */
const PERIODS = 3;

/** Ended periods and the one of `nowMs`, oldest first, of those in which somebody could use anything. */
export function duePeriods(nowMs: number, firstAccountAtMs: number | null): Period[] {
  const periods: Period[] = [periodOf(nowMs)];
  for (let count = 0; count < PERIODS; count += 1) periods.unshift(previousPeriod(periods[0] ?? periodOf(nowMs)));
  return periods.filter(({ endAtMs }) => firstAccountAtMs !== null && firstAccountAtMs < endAtMs);
}

export function computeSteps(period: Period, record: PeriodRecord): PeriodStep[] {
  const graceEndsMs = period.endAtMs + WAITS.graceMs;
  const lateEndsMs = graceEndsMs + WAITS.lateCollectionMs;
  const reportDueMs = lateEndsMs + WAITS.reportWithinMs;
  const { key } = period;
  return [
    {
      period: key,
      step: 'barrier',
      fromMs: graceEndsMs,
      dueMs: graceEndsMs + WAITS.barrierWithinMs,
      done: record.barrier,
    },
    { period: key, step: 'close', fromMs: graceEndsMs, dueMs: graceEndsMs + WAITS.closeWithinMs, done: record.closed },
    { period: key, step: 'report', fromMs: lateEndsMs, dueMs: reportDueMs, done: record.reported },
    {
      period: key,
      step: 'sign-off',
      fromMs: lateEndsMs,
      dueMs: reportDueMs + WAITS.signOffWithinMs,
      done: record.signed,
    },
  ];
}

/** Business time since the step was due, of the period where it is longest; 0 when nothing is overdue. */
export function computeOverdueMs(steps: readonly PeriodStep[], step: StepName, nowMs: number): number {
  const overdue = steps.filter((one) => one.step === step && !one.done).map(({ dueMs }) => nowMs - dueMs);
  return Math.max(0, ...overdue);
}

/** What comes next: the step that was or will be due first. */
export function findNextStep(steps: readonly PeriodStep[]): PeriodStep | undefined {
  return steps.filter(({ done }) => !done).toSorted((a, b) => a.dueMs - b.dueMs)[0];
}
