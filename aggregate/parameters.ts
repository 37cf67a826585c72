// Parameters shared by the queries that include counted-events.sql.

import { catalogueColumns } from '../domain/meter.ts';
import type { StoredCatalogue } from './tables.ts';
import type { Barrier } from './usage.ts';

/** A half-open window of usage time, epoch ms. */
export type Window = { readonly startAtMs: number; readonly endAtMs: number };

export type CountedOptions = {
  readonly window: Window;
  /** Leave out to count everything that has arrived. */
  readonly before?: Barrier;
  /** Starts of hours, epoch seconds; leave out for all hours of the window. */
  readonly hours?: readonly number[];
  /** Starts of minutes, epoch seconds; leave out for all minutes of the window or of the hours. */
  readonly minutes?: readonly number[];
  readonly catalogue?: StoredCatalogue;
};

export function countedParameters(options: CountedOptions): Record<string, unknown> {
  const { types, meters, weights } = options.catalogue ?? catalogueColumns();
  return {
    types,
    meters,
    weights,
    ...formatWindow(options.window),
    hours: options.hours ?? [],
    minutes: options.minutes ?? [],
    before: options.before ?? [],
  };
}

/** Parameters `from` and `to`. */
export function formatWindow({ startAtMs, endAtMs }: Window): { from: string; to: string } {
  return { from: fromMs(startAtMs), to: fromMs(endAtMs) };
}

/** Epoch ms as the text ClickHouse reads into a DateTime64(3, 'UTC'). */
function fromMs(atMs: number): string {
  return new Date(atMs).toISOString().replace('T', ' ').replace('Z', '');
}
