// A break: one difference with its name, the leg where it began, the money at stake and its evidence (promise I8).
// Every leg compares against what the leg before it left, so the money of an account's breaks adds up to exactly
// "should be charged − is charged" and no difference is told twice.

import { BREAK_CODES, BREAK_RULES, type BreakCode, type Stage } from '../../domain/contracts/break-codes.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import { computeStatuses } from './tolerance.ts';

export type BreakStatus = 'open' | 'auto-accepted';

/** What a comparison says; the run adds evidence and dates. */
export type Finding = {
  readonly code: BreakCode;
  readonly account: string;
  /** Null when the difference is not one meter's. */
  readonly meter: MeterName | null;
  /** Expected − charged, minor units; positive means under-billed. */
  readonly amountMinor: bigint;
  readonly currency: Currency;
  /** The hours that differ, epoch ms ascending; empty where hours don't apply. */
  readonly hours: readonly number[];
  readonly expected: string;
  readonly actual: string;
};

/** What is missing and may be: no break until it is due. */
export type NotYetDue = {
  readonly what: 'usage' | 'summary' | 'invoice' | 'payment';
  readonly account: string;
  readonly meter: MeterName | null;
  /** Expected − there so far, minor units. */
  readonly amountMinor: bigint;
  readonly currency: Currency;
  /** Null when it waits for somebody rather than for a time. */
  readonly dueAtMs: number | null;
  readonly why: string;
};

/** What one leg says about one account. */
export type LegResult = { readonly findings: readonly Finding[]; readonly expected: readonly NotYetDue[] };

export type Break = Finding & {
  readonly stage: Stage;
  readonly resolution: string;
  readonly status: BreakStatus;
  /** Business time from which it ages. */
  readonly brokeAtMs: number;
  /** Hashes of stored evidence. */
  readonly evidence: readonly string[];
};

/** The breaks of one account, or of a period as a whole; which of them are accepted by rule depends on all of them. */
export function toBreaks(findings: readonly Finding[], brokeAtMs: number, evidence: readonly string[]): Break[] {
  const statuses = computeStatuses(findings);
  return findings.map((finding, index) => ({
    ...finding,
    stage: BREAK_RULES[finding.code].stage,
    resolution: BREAK_RULES[finding.code].resolution,
    status: statuses[index] ?? 'open',
    brokeAtMs,
    evidence: [...evidence].sort(),
  }));
}

/** One break by itself, where no other belongs to it. */
export function toBreak(finding: Finding, brokeAtMs: number, evidence: readonly string[]): Break {
  const { stage, resolution } = BREAK_RULES[finding.code];
  const status = computeStatuses([finding])[0] ?? 'open';
  return { ...finding, stage, resolution, status, brokeAtMs, evidence: [...evidence].sort() };
}

/** One finding per code and meter, in the order of the legs: that is what a case is about and what a person looks into. */
export function mergeFindings(findings: readonly Finding[]): Finding[] {
  const groups = Map.groupBy(findings, ({ code, meter }) => `${code} ${meter ?? ''}`);
  return [...groups.values()]
    .flatMap(([first, ...more]) => (first === undefined ? [] : [more.reduce(merge, first)]))
    .sort((a, b) => BREAK_CODES.indexOf(a.code) - BREAK_CODES.indexOf(b.code) || compareText(a.meter, b.meter));
}

function merge(a: Finding, b: Finding): Finding {
  return {
    ...a,
    amountMinor: a.amountMinor + b.amountMinor,
    hours: [...new Set([...a.hours, ...b.hours])].sort((x, y) => x - y),
    expected: joinSides(a.expected, b.expected),
    actual: joinSides(a.actual, b.actual),
  };
}

/** Quantities and amounts of the parts of a period add up; words stand beside each other. */
function joinSides(a: string, b: string): string {
  const WHOLE = /^-?\d+$/;
  if (WHOLE.test(a) && WHOLE.test(b)) return (BigInt(a) + BigInt(b)).toString();
  return a === b ? a : `${a}; ${b}`;
}

function compareText(a: string | null, b: string | null): number {
  return (a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0;
}
