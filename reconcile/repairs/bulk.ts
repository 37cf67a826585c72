// Corrections of many accounts at once, planned: money per account (bulk-money.ts) turned into ordinary repairs, one per account.
// Everything here is a dry run. Pure.

import { canonicalJson, sha256 } from '../../domain/canonical.ts';
import type { Currency } from '../../domain/money.ts';
import type { Period } from '../../domain/period.ts';
import { sumLines } from '../../domain/rating.ts';
import type { AccountBilling } from '../billing/port.ts';
import type { BulkMoney } from './bulk-money.ts';
import { planRepair, type Planned, type RepairChoice, type RepairPlan } from './plan.ts';

export type BulkInput = {
  /** Names the correction for ever: the same name is the same correction. Letters, digits and hyphens. */
  readonly bulkId: string;
  readonly period: Period;
  readonly reason: string;
  readonly money: readonly BulkMoney[];
  readonly billing: ReadonlyMap<string, AccountBilling>;
  /** Accounts for which nothing may be planned, with the reason. */
  readonly barred: ReadonlyMap<string, string>;
  readonly nowMs: number;
};

export type BulkEntry = { readonly money: BulkMoney; readonly planned: Planned };

export type BulkPlan = {
  readonly bulkId: string;
  readonly period: string;
  readonly reason: string;
  readonly entries: readonly BulkEntry[];
  /** Sums of what can be done, by currency. */
  readonly totals: readonly { readonly currency: Currency; readonly accounts: number; readonly amountMinor: bigint }[];
};

/** One repair per account with money at stake; an account for which none can be planned is told with the reason. */
export function planBulk(input: BulkInput): BulkPlan {
  const entries = input.money
    .filter(({ amountMinor }) => amountMinor !== 0n)
    .map((money) => ({ money, planned: planEntry(input, money) }));
  const done = entries.filter(({ planned }) => planned.ok).map(({ money }) => money);
  const totals = [...Map.groupBy(done, ({ currency }) => currency)].map(([currency, of]) => ({
    currency,
    accounts: of.length,
    amountMinor: sumLines(of),
  }));
  return { bulkId: input.bulkId, period: input.period.key, reason: input.reason, entries, totals };
}

function planEntry({ bulkId, period, reason, billing, barred, nowMs }: BulkInput, money: BulkMoney): Planned {
  const why = barred.get(money.account);
  if (why !== undefined) return { ok: false, why };
  const held = billing.get(money.account);
  if (held === undefined) return { ok: false, why: 'what the biller holds of it was not read' };
  const { account, currency, amountMinor } = money;
  const plan = (kind: RepairChoice['kind']) =>
    planRepair({
      correction: {
        caseId: `${period.key}.${account}.BULK-${bulkId}.${currency}`,
        code: 'BULK_CORRECTION',
        account,
        meter: null,
        currency,
        amountMinor,
        hours: [],
      },
      choice: { kind, reason },
      period,
      subscription: null,
      billing: held,
      ownHours: new Map(),
      expected: [],
      // A draft is held for reasons of its own; a bulk correction lets none of them out.
      otherBreaks: 1,
      nowMs,
    });
  // Where money was taken, it goes back on that invoice; where more is due, or nothing is left there, the next one has it.
  const kinds = amountMinor < 0n ? (['invoice_item', 'credit_note'] as const) : (['invoice_item'] as const);
  for (const kind of kinds) {
    const planned = plan(kind);
    if (planned.ok) return planned;
  }
  return plan('next_period');
}

export function plansOf({ entries }: BulkPlan): RepairPlan[] {
  return entries.flatMap(({ planned }) => (planned.ok ? [planned.plan] : []));
}

/** The hash that an approval names: over every plan, whatever their order. */
export function computeBulkHash(planHashes: readonly string[]): string {
  return sha256(canonicalJson([...planHashes].sort()));
}
