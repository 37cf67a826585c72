// What became of each piece of a body: of an event, or of a manifest. Pure.

import type { EventCode } from '../../domain/contracts/intake.ts';
import type { ManifestCode } from '../../domain/contracts/manifest.ts';

/** What a route takes, as its answers call it. */
export type Noun = 'event' | 'manifest';

/** How the sender knows the piece again, as far as it could be read. */
export type PieceName =
  { readonly id: string } | { readonly source: string; readonly hour: string; readonly revision: number | null };

export type Refusal = {
  readonly code: EventCode | ManifestCode;
  readonly message: string;
  readonly field: string | null;
  readonly retryable: false;
  readonly next: string;
};

export type Outcome = { readonly index: number } & PieceName &
  ({ readonly outcome: 'accepted' } | ({ readonly outcome: 'rejected' } & Refusal));

/** A body's pieces judged: an outcome each, and the records of the accepted ones, in order. */
export type Judged = {
  readonly outcomes: readonly Outcome[];
  readonly records: readonly { readonly key: Buffer; readonly value: Buffer }[];
};
