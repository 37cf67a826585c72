// Corrections of many accounts at once: usage of one source and window taken back or replaced, or a price changed after the
// fact. What an account owes is rated afresh as a whole, plan fee included, because tiers and the fee depend on the total.
// Everything here is a dry run; what comes of it are ordinary repairs, one per account. Pure.

import { canonicalJson, sha256 } from '../../domain/canonical.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import type { Period } from '../../domain/period.ts';
import type { Terms } from '../../domain/price-book.ts';
import { ratePeriod, sumLines, type MeterQuantities, type Rated } from '../../domain/rating.ts';
import type { AccountBilling } from '../billing/port.ts';
import { sumByAccount, totalKey } from '../compare/late.ts';
import { planRepair, type Planned, type RepairChoice, type RepairPlan } from './plan.ts';

/** An account as its period was closed and billed. */
export type BulkAccount = {
  readonly account: string;
  readonly currency: Currency;
  readonly terms: Terms;
  readonly closed: MeterQuantities;
};

export type AccountUsage = { readonly account: string; readonly meter: MeterName; readonly quantity: bigint };

/** What one account owes more (negative: less) once the correction is made, and where that comes from. */
export type BulkMoney = {
  readonly account: string;
  readonly currency: Currency;
  readonly beforeMinor: bigint;
  readonly afterMinor: bigint;
  readonly amountMinor: bigint;
  /** By meter, and the plan fee as null; adds up to `amountMinor`. */
  readonly parts: readonly { readonly meter: MeterName | null; readonly amountMinor: bigint }[];
};

export type BulkUsage = {
  readonly accounts: readonly BulkAccount[];
  /** What the closed totals hold of the selected usage. */
  readonly counted: readonly AccountUsage[];
  /** What they should hold instead; empty takes it back altogether. */
  readonly corrected: readonly AccountUsage[];
};

/** Money per account that the selected usage touches. Throws RangeError when more would be taken back than was closed. */
export function computeUsageCorrection({ accounts, counted, corrected }: BulkUsage): BulkMoney[] {
  const before = sumByAccount(counted);
  const after = sumByAccount(corrected);
  return accounts.flatMap((account) => {
    const change = (meter: MeterName) => {
      const key = totalKey(account.account, meter);
      return (after.get(key) ?? 0n) - (before.get(key) ?? 0n);
    };
    if (METERS.every((meter) => change(meter) === 0n)) return [];
    const quantity = (meter: MeterName) => {
      const left = account.closed[meter] + change(meter);
      if (left < 0n) throw new RangeError(`${account.account} was closed with less ${meter} than would be taken back`);
      return left;
    };
    const corrections: MeterQuantities = {
      actions: quantity('actions'),
      active_storage: quantity('active_storage'),
      retained_storage: quantity('retained_storage'),
    };
    return [toMoney(account, ratePeriod(account.terms, account.closed), ratePeriod(account.terms, corrections))];
  });
}

/** Money per account whose terms would have been others; those for whom nothing changes are left out. */
export function computeRerating(
  accounts: readonly BulkAccount[],
  termsInstead: (account: BulkAccount) => Terms,
): BulkMoney[] {
  return accounts
    .map((account) => {
      const before = ratePeriod(account.terms, account.closed);
      return toMoney(account, before, ratePeriod(termsInstead(account), account.closed));
    })
    .filter(({ amountMinor }) => amountMinor !== 0n);
}

function toMoney({ account, currency }: BulkAccount, before: Rated, after: Rated): BulkMoney {
  const of = (rated: Rated, meter: MeterName) => sumLines(rated.lines.filter((line) => line.meter === meter));
  const parts = [
    ...METERS.map((meter) => ({ meter, amountMinor: of(after, meter) - of(before, meter) })),
    { meter: null, amountMinor: after.feeMinor - before.feeMinor },
  ].filter(({ amountMinor }) => amountMinor !== 0n);
  const amountMinor = after.totalMinor - before.totalMinor;
  return { account, currency, beforeMinor: before.totalMinor, afterMinor: after.totalMinor, amountMinor, parts };
}

export type BulkInput = {
  /** Names the correction for ever: the same name is the same correction. Letters, digits and hyphens. */
  readonly bulkId: string;
  readonly period: Period;
  readonly reason: string;
  readonly money: readonly BulkMoney[];
  readonly billing: ReadonlyMap<string, AccountBilling>;
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

function planEntry({ bulkId, period, reason, billing, nowMs }: BulkInput, money: BulkMoney): Planned {
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
