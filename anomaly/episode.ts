// An episode: one tenant's usage of one meter deviates in one direction, from the first bucket until it is over. Detectors
// open and close episodes; whoever tells people of them knows nothing of buckets.

import type { Currency } from '../domain/money.ts';

export type Direction = 'more' | 'less';

/** What it looks like, most likely first where several fit. */
export type LikelyCause = 'double metering' | 'attack' | 'growth' | 'outage of the source' | 'unknown';

export type Episode = {
  readonly id: string;
  readonly tenant: {
    readonly id: string;
    readonly name: string;
    readonly plan: string;
    readonly owner: string;
    /** One of the largest, which are watched more closely. */
    readonly isLarge: boolean;
  };
  readonly meter: string;
  readonly direction: Direction;
  /** Half-open, UTC. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Quantities of the last bucket, as decimals. */
  readonly actual: string;
  readonly expected: { readonly low: string; readonly high: string };
  readonly timesExpected: number;
  /** How often chance alone would look like this. */
  readonly pValue: number;
  readonly money: {
    readonly currency: Currency;
    /** Beyond what was expected until the period's end, at the prices it would be rated by; negative for less usage. */
    readonly projectedExtraMinor: bigint;
    readonly projectedInvoiceMinor: bigint;
    readonly lastInvoiceMinor: bigint;
  };
  /** What most of it comes from: keys, event types, regions; shares of the deviation. */
  readonly contributors: readonly { readonly what: string; readonly share: number }[];
  readonly likelyCause: LikelyCause;
  readonly confidence: 'low' | 'high';
  /** `page` is for money that can't wait for the morning, and for attacks. */
  readonly urgency: 'page' | 'ticket';
};
