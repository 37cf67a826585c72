// Plans a repair: from a break, what was chosen to be done about it and what the biller holds, to steps and the totals they
// lead to; or to the reason why that choice can't be. Nothing is done here. Pure.

import { BREAK_RULES, type BreakCode, type RepairKind } from '../../domain/contracts/break-codes.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import type { Period } from '../../domain/period.ts';
import type { AccountBilling, RepairCredit } from '../billing/port.ts';
import { PLANNERS } from './kinds.ts';
import { computeStanding, type Standing } from './standing.ts';
import type { ReissuedItem, RepairStep } from './steps.ts';

export type RepairChoice = {
  readonly kind: RepairKind;
  readonly reason: string;
  /** Which invoice, where the break does not say. */
  readonly invoice?: string;
  /** Where paid money goes back to; the customer's balance unless said. */
  readonly settle?: RepairCredit['settle'];
};

/** What is to be corrected: a break and its case, or one account's part of a bulk correction. */
export type Correction = {
  readonly caseId: string;
  readonly code: BreakCode | 'BULK_CORRECTION';
  readonly account: string;
  readonly meter: MeterName | null;
  readonly currency: Currency;
  /** Expected − charged. */
  readonly amountMinor: bigint;
  /** The hours that differ, epoch ms. */
  readonly hours: readonly number[];
};

export type RepairInput = {
  readonly correction: Correction;
  readonly choice: RepairChoice;
  readonly period: Period;
  readonly subscription: string | null;
  readonly billing: AccountBilling;
  /** Own hour totals of the meter; needed to resend. */
  readonly ownHours: ReadonlyMap<number, bigint>;
  /** What the invoice should have charged, by meter and the rest; needed to re-issue. */
  readonly expected: readonly ReissuedItem[];
  /** Other open breaks of this account: while there are some, a held draft stays held. */
  readonly otherBreaks: number;
  /** Business time. */
  readonly nowMs: number;
};

/** Everything an approval binds; canonical JSON of it is what is hashed. */
export type RepairPlan = {
  readonly kind: RepairKind;
  readonly caseId: string;
  readonly code: Correction['code'];
  readonly period: string;
  readonly account: string;
  /** Null when it is not one meter's. */
  readonly meter: MeterName | null;
  readonly customer: string;
  readonly subscription: string | null;
  readonly currency: Currency;
  readonly reason: string;
  /** Expected − charged before. */
  readonly breakMinor: string;
  /** What it changes about what the customer is charged; equal to `breakMinor` unless money is given up. */
  readonly amountMinor: string;
  readonly steps: readonly RepairStep[];
  readonly before: Standing;
  readonly after: Standing;
};

export type Planned = { readonly ok: true; readonly plan: RepairPlan } | { readonly ok: false; readonly why: string };

/** The part of a plan that differs by kind. */
export type Draft =
  | { readonly steps: readonly RepairStep[]; readonly amountMinor: bigint; readonly after: Standing }
  | { readonly why: string };

export function planRepair(input: RepairInput): Planned {
  const { correction, choice, billing, period } = input;
  if (choice.reason.trim() === '') return { ok: false, why: 'a repair needs a reason' };
  const allowed = repairsFor(correction.code);
  if (!allowed.includes(choice.kind)) {
    const possible = allowed.length === 0 ? 'nothing that Trueup does at the biller' : allowed.join(', ');
    return { ok: false, why: `${choice.kind} does not repair ${correction.code}; what can: ${possible}` };
  }
  const before = computeStanding(billing);
  const draft = PLANNERS[choice.kind](input, before);
  if ('why' in draft) return { ok: false, why: draft.why };
  return {
    ok: true,
    plan: {
      kind: choice.kind,
      caseId: correction.caseId,
      code: correction.code,
      period: period.key,
      account: correction.account,
      meter: correction.meter,
      customer: billing.customer,
      subscription: input.subscription,
      currency: correction.currency,
      reason: choice.reason,
      breakMinor: correction.amountMinor.toString(),
      amountMinor: draft.amountMinor.toString(),
      steps: draft.steps,
      before,
      after: draft.after,
    },
  };
}

function repairsFor(code: Correction['code']): readonly RepairKind[] {
  if (code === 'BULK_CORRECTION') return ['invoice_item', 'credit_note', 'next_period'];
  return BREAK_RULES[code].repairs;
}
