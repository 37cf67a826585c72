// How urgent a case is, when it is due and who may settle it. Pure. Severity goes by money or age, whichever is worse, so
// that small differences can't grow old unseen.

import { magnitude } from '../../domain/decimal.ts';
import type { Actor, Permission } from '../../domain/contracts/permissions.ts';
import type { Severity } from '../../domain/contracts/severities.ts';
import { HOUR_MS } from '../../domain/period.ts';
import type { CaseEventKind } from './states.ts';

export type { Severity } from '../../domain/contracts/severities.ts';

type Rule = {
  readonly severity: Severity;
  /** Times what is material. */
  readonly fromTimes: bigint;
  readonly fromAgeMs: number;
  readonly dueWithinMs: number;
};

/** Worst first; the last takes everything. */
const RULES: readonly Rule[] = [
  { severity: 'critical', fromTimes: 100n, fromAgeMs: 120 * HOUR_MS, dueWithinMs: 24 * HOUR_MS },
  { severity: 'high', fromTimes: 10n, fromAgeMs: 72 * HOUR_MS, dueWithinMs: 72 * HOUR_MS },
  { severity: 'medium', fromTimes: 1n, fromAgeMs: 24 * HOUR_MS, dueWithinMs: 120 * HOUR_MS },
  { severity: 'low', fromTimes: 0n, fromAgeMs: 0, dueWithinMs: 168 * HOUR_MS },
];

/** `materialMinor` as of compare/tolerance.ts: of the break's currency and, where it is known, its invoice. */
export function computeSeverity(amountMinor: bigint, ageMs: number, materialMinor: bigint): Severity {
  const size = magnitude(amountMinor);
  return (
    RULES.find(({ fromTimes, fromAgeMs }) => size >= fromTimes * materialMinor || ageMs >= fromAgeMs)?.severity ?? 'low'
  );
}

export function computeDueMs(severity: Severity, openedAtMs: number): number {
  const rule = RULES.find((one) => one.severity === severity);
  return openedAtMs + (rule?.dueWithinMs ?? 0);
}

/** What a person needs for an event; null for events only runs produce. */
export const PERMISSIONS: Readonly<Record<CaseEventKind, Permission | null>> = {
  opened: null,
  'amount-changed': null,
  vanished: null,
  assigned: 'case.work',
  'investigation-started': 'case.work',
  reopened: 'case.work',
  commented: 'case.work',
  'evidence-linked': 'case.work',
  'repair-planned': 'repair.plan',
  'repair-dropped': 'repair.plan',
  repaired: 'repair.apply',
  accepted: 'case.accept',
  closed: 'case.accept',
  'written-off': 'case.write-off',
};

/** Small differences are accepted by whoever prepares the period; what is material needs a reviewer. */
export function mayAccept(actor: Actor, severity: Severity): boolean {
  return actor.roles.includes('reviewer') || severity === 'low' || severity === 'medium';
}
