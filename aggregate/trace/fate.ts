// What became of one stored event: counted, or the reason why not. Pure; the same rules as counted-events.sql, told for
// one event instead of summed over all.

import { EVENT_TYPES, VOID_TYPE, type MeterName } from '../../domain/meter.ts';
import type { Barrier } from '../usage.ts';

export type StoredEvent = {
  readonly namespace: string;
  readonly type: string;
  readonly source: string;
  readonly id: string;
  /** As emitted, exact decimal. */
  readonly quantity: string;
  /** The id that a void takes back; empty otherwise. */
  readonly voids: string;
  readonly atMs: number;
  readonly arrivedAtMs: number;
  readonly partition: number;
  readonly offset: bigint;
  /** Another copy of the identity with other content came first. */
  readonly conflict: boolean;
};

/** `late` counts, behind the barrier: it is an adjustment. `void` has no quantity of its own. */
export type Fate = 'counted' | 'late' | 'duplicate' | 'conflict' | 'voided' | 'void' | 'not billable';

export type TracedEvent = StoredEvent & {
  readonly fate: Fate;
  readonly meter: MeterName | null;
  /** The void that took it back. */
  readonly voidedBy: string | null;
};

/** Decides over all stored copies together, in the order of the log. Without a barrier nothing is late. */
export function traceEvents(events: readonly StoredEvent[], barrier: Barrier | null): TracedEvent[] {
  const ordered = [...events].sort((a, b) =>
    a.partition === b.partition ? (a.offset < b.offset ? -1 : 1) : a.partition - b.partition,
  );
  const isLate = ({ partition, offset }: StoredEvent) => barrier !== null && offset >= (barrier[partition] ?? 0n);
  const voids = ordered.filter(({ type, conflict }) => type === VOID_TYPE && !conflict);
  const seen = new Set<string>();
  return ordered.map((event) => {
    const identity = JSON.stringify([event.namespace, event.source, event.id]);
    const first = !seen.has(identity);
    seen.add(identity);
    const taken = voids.find(
      (candidate) =>
        candidate.namespace === event.namespace &&
        candidate.source === event.source &&
        candidate.voids === event.id &&
        candidate.atMs === event.atMs &&
        // A void behind the barrier takes back an adjustment, not the closed total.
        (isLate(event) || !isLate(candidate)),
    );
    const meter = EVENT_TYPES[event.type]?.meter ?? null;
    const fate = fateOf(event, { first, voided: taken !== undefined, late: isLate(event), billable: meter !== null });
    return { ...event, fate, meter, voidedBy: fate === 'voided' ? (taken?.id ?? null) : null };
  });
}

function fateOf(
  event: StoredEvent,
  of: { readonly first: boolean; readonly voided: boolean; readonly late: boolean; readonly billable: boolean },
): Fate {
  if (event.conflict) return 'conflict';
  if (!of.first) return 'duplicate';
  if (event.type === VOID_TYPE) return 'void';
  if (!of.billable) return 'not billable';
  if (of.voided) return 'voided';
  return of.late ? 'late' : 'counted';
}
