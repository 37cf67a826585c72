// A break: one difference with its name, the leg where it began, the money at stake and its evidence (promise I8).
// Every leg compares against what the leg before it left, so the money of an account's breaks adds up to exactly
// "should be charged − is charged" and no difference is told twice.

import { BREAK_RULES, type BreakCode, type Stage } from '../../domain/contracts/break-codes.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';

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

export type Break = Finding & {
  readonly stage: Stage;
  readonly resolution: string;
  readonly status: BreakStatus;
  /** Business time from which it ages. */
  readonly brokeAtMs: number;
  /** Hashes of stored evidence. */
  readonly evidence: readonly string[];
};

/** Rounding within its computed bound is accepted and totalled; everything else waits for a person. */
export function toBreak(finding: Finding, brokeAtMs: number, evidence: readonly string[]): Break {
  const { stage, resolution } = BREAK_RULES[finding.code];
  const status = finding.code === 'ROUNDING' ? 'auto-accepted' : 'open';
  return { ...finding, stage, resolution, status, brokeAtMs, evidence: [...evidence].sort() };
}
