// How long a break has been there, in business time. Pure.

import { DAY_MS } from '../../domain/period.ts';

export const AGE_BUCKETS = ['0-7', '8-30', '31-60', '61-90', '>90'] as const;

export type AgeBucket = (typeof AGE_BUCKETS)[number];

/** Whole days, not negative. */
export function computeAgeDays(brokeAtMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - brokeAtMs) / DAY_MS));
}

export function toAgeBucket(days: number): AgeBucket {
  if (days <= 7) return '0-7';
  if (days <= 30) return '8-30';
  if (days <= 60) return '31-60';
  return days <= 90 ? '61-90' : '>90';
}
