// A billing period is one calendar month in UTC, half-open: startAtMs belongs to it, endAtMs does not.
// All instants in Trueup are epoch milliseconds (UTC); local time never enters.

import { utc } from '@date-fns/utc';
import { addMonths, startOfMonth } from 'date-fns';
import { TrueupError } from './contracts/errors.ts';

export type Period = { readonly key: string; readonly startAtMs: number; readonly endAtMs: number };

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

const PERIOD_KEY = /^(\d{4})-(0[1-9]|1[0-2])$/;

/** Parses `YYYY-MM` strictly. Throws `rejected` PERIOD_INVALID. */
export function parsePeriod(key: string): Period {
  const match = PERIOD_KEY.exec(key);
  if (match === null) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'PERIOD_INVALID',
      message: `"${key}" is not a billing period`,
      field: 'period',
      next: 'write a calendar month as YYYY-MM, for example 2026-10',
    });
  }
  return periodOf(Date.UTC(Number(match[1]), Number(match[2]) - 1, 1));
}

/** The period that contains the instant `atMs`. */
export function periodOf(atMs: number): Period {
  const start = startOfMonth(atMs, { in: utc });
  return {
    key: start.toISOString().slice(0, 7),
    startAtMs: start.getTime(),
    endAtMs: addMonths(start, 1, { in: utc }).getTime(),
  };
}

export function nextPeriod(period: Period): Period {
  return periodOf(period.endAtMs);
}

export function previousPeriod(period: Period): Period {
  return periodOf(period.startAtMs - 1);
}

export function periodContains(period: Period, atMs: number): boolean {
  return atMs >= period.startAtMs && atMs < period.endAtMs;
}

/** The start of the UTC hour that contains `atMs`. */
export function hourOf(atMs: number): number {
  return Math.floor(atMs / HOUR_MS) * HOUR_MS;
}

/** `2026-10-03T12:00:00.000Z` for an instant: the one spelling of time in records and messages. */
export function toIso(atMs: number): string {
  return new Date(atMs).toISOString();
}
