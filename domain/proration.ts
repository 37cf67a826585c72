// Partial months are prorated to the day: a UTC day counts as a whole for whatever was in force last on it, so the days of
// a month add up whatever happened inside them. Fractions stay exact until the one rounding of their line.

import { DAY_MS, type Period } from './period.ts';

/** Half-open. */
export type Span = { readonly startAtMs: number; readonly endAtMs: number };

export function countDaysOfPeriod({ startAtMs, endAtMs }: Span): bigint {
  return BigInt(Math.round((endAtMs - startAtMs) / DAY_MS));
}

/**
 * Whole days of `period` per span, which stand in order and do not overlap. A day that several spans touch belongs to the last
 * of them; a day that none touches belongs to nobody.
 */
export function countDays(period: Period, spans: readonly Span[]): bigint[] {
  const days = spans.map(() => 0n);
  for (let dayAtMs = period.startAtMs; dayAtMs < period.endAtMs; dayAtMs += DAY_MS) {
    const last = spans.findLastIndex((span) => span.startAtMs < dayAtMs + DAY_MS && span.endAtMs > dayAtMs);
    if (last >= 0) days[last] = (days[last] ?? 0n) + 1n;
  }
  return days;
}
