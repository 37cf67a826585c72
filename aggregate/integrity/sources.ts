// S0: what the sources say they produced, against what arrived; sources that fell silent; sources that used an id twice.
// What is not yet due is no finding: buffers and late manifests have their waits.

import { WAITS } from '../../domain/contracts/waits.ts';
import { DAY_MS, hourOf, HOUR_MS, periodOf, previousPeriod, toIso } from '../../domain/period.ts';
import type { CloseDeps } from '../close.ts';
import { countedParameters, type Window } from '../parameters.ts';
import { QUERIES } from '../queries.ts';
import type { Evidence, Finding, Look, Sight } from './findings.ts';
import type { FindingKind } from '../../domain/contracts/integrity-findings.ts';

type SourceHour = {
  source: string;
  hour: number;
  said: string;
  came: string;
  said_quantity: string;
  came_quantity: string;
  manifest_count: string;
};

const KINDS = ['SOURCE_SHORT', 'MANIFEST_SHORT', 'MANIFEST_MISSING'] as const;
/** Days of due hours that every run compares; hours with a standing finding are compared however old they are. */
const LOOK_BACK_MS = 3 * DAY_MS;

/** The window of hours that are due, reaching back to the oldest standing finding. */
export function dueWindow(nowMs: number, standing: readonly Finding[]): Window {
  const endAtMs = hourOf(nowMs - WAITS.manifestDueMs);
  const hours = standing
    .filter(({ kind }) => KINDS.some((own) => own === kind))
    .map(({ evidence }) => Number(evidence['hour']) * 1000);
  return { startAtMs: Math.min(endAtMs - LOOK_BACK_MS, ...hours), endAtMs };
}

export async function lookAtManifests(deps: CloseDeps, window: Window): Promise<Look> {
  const rows = await deps.clickhouse.query<SourceHour>(QUERIES.sourceHours, countedParameters({ window }));
  const covers = (_key: string, { hour }: Evidence) => {
    const atMs = Number(hour) * 1000;
    return atMs >= window.startAtMs && atMs + HOUR_MS <= window.endAtMs;
  };
  return { kinds: KINDS, sights: rows.map(nameSourceHour), covers };
}

/** Pure. Events decide; with equal counts the quantities do. */
export function nameSourceHour(row: SourceHour): Sight {
  const { source, hour, said, came, said_quantity: saidQuantity, came_quantity: cameQuantity } = row;
  const evidence = { source, hour, said, came, saidQuantity, cameQuantity };
  return { kind: kindOf(row), key: `${source} ${toIso(hour * 1000)}`, evidence };
}

function kindOf({ said, came, manifest_count: manifests, ...row }: SourceHour): FindingKind {
  if (BigInt(manifests) === 0n) return 'MANIFEST_MISSING';
  if (said !== came) return BigInt(said) > BigInt(came) ? 'SOURCE_SHORT' : 'MANIFEST_SHORT';
  return compareDecimals(row.said_quantity, row.came_quantity) > 0 ? 'SOURCE_SHORT' : 'MANIFEST_SHORT';
}

/** Both come from one column type, with up to twelve digits behind the point. */
function compareDecimals(a: string, b: string): number {
  const units = (text: string) => {
    const [whole = '0', fraction = ''] = text.split('.');
    return BigInt(`${whole}${fraction.padEnd(12, '0')}`);
  };
  return units(a) > units(b) ? 1 : units(a) < units(b) ? -1 : 0;
}

export async function lookAtSilence(deps: CloseDeps, nowMs: number): Promise<Look> {
  const sinceMs = nowMs - WAITS.sourceSilentMs;
  const parameters = {
    ...countedParameters({ window: { startAtMs: sinceMs, endAtMs: sinceMs } }),
    now: countedParameters({ window: { startAtMs: nowMs, endAtMs: nowMs } })['from'],
  };
  const rows = await deps.clickhouse.query<{ source: string; last_hour: string }>(QUERIES.silentSources, parameters);
  const sights = rows.map(({ source, last_hour: lastHour }): Sight => {
    return { kind: 'SOURCE_SILENT', key: source, evidence: { source, lastManifestHour: lastHour } };
  });
  return { kinds: ['SOURCE_SILENT'], sights, covers: () => true };
}

/** A conflict never goes away; it stands until the close after its month, which names and settles it, is long done. */
export async function lookAtConflicts(deps: CloseDeps, window: Window, nowMs: number): Promise<Look> {
  const rows = await deps.clickhouse.query<{
    source: string;
    month: string;
    identities: string;
    examples: string[];
  }>(QUERIES.conflictingSources, countedParameters({ window }));
  const sights = rows.map(({ source, month, identities, examples }): Sight => {
    return { kind: 'CONFLICTING_COPIES', key: `${source} ${month}`, evidence: { source, month, identities, examples } };
  });
  const settledBefore = previousPeriod(periodOf(nowMs)).key;
  return { kinds: ['CONFLICTING_COPIES'], sights, covers: (_key, { month }) => String(month) < settledBefore };
}
