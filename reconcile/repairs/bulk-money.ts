// What a correction of many accounts is worth: usage of one source and window taken back or replaced, or a price changed after
// the fact. What an account owes is rated afresh as a whole by its agreement, because tiers, plan fee, commitment and discounts
// depend on all of it. Pure.

import type { AccountHour, HourTotal } from '../../aggregate/usage.ts';
import { sumHoursBySegment, type Agreement } from '../../domain/agreement.ts';
import { divideHalfAway, type Decimal } from '../../domain/decimal.ts';
import type { ExpectedLine } from '../../domain/expected-invoice.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';
import { toIso } from '../../domain/period.ts';
import type { Tier } from '../../domain/price-book.ts';
import { computeExpectedInvoice } from '../../domain/rating-invoice.ts';

/** An account as its period was closed. */
export type BulkAccount = { readonly agreement: Agreement; readonly closed: readonly HourTotal[] };

/** A meter's lines, or the line of the whole period. */
export type MoneyPart = MeterName | 'plan_fee' | 'commitment';

/**
 * What one account owes more (negative: less) once the correction is made, and where that comes from. Minor units after
 * discounts; before tax, which goes with it at the biller, and whoever pays: usage that prepaid credit paid for is given back
 * as money.
 */
export type BulkMoney = {
  readonly account: string;
  readonly currency: Currency;
  readonly beforeMinor: bigint;
  readonly afterMinor: bigint;
  readonly amountMinor: bigint;
  /** Adds up to `amountMinor`. */
  readonly parts: readonly { readonly what: MoneyPart; readonly amountMinor: bigint }[];
};

export type BulkUsage = {
  readonly accounts: readonly BulkAccount[];
  /** What the closed hours hold of the selected usage. */
  readonly counted: readonly AccountHour[];
  /** What they should hold instead; what is not named is taken back. */
  readonly corrected: readonly AccountHour[];
};

/** Money per account whose usage changes, be it nothing. Throws RangeError when more would be taken back than was closed. */
export function computeUsageCorrection({ accounts, counted, corrected }: BulkUsage): BulkMoney[] {
  const changes = new Map<string, Map<string, bigint>>();
  const change = ({ account, meter, hourAtMs }: AccountHour, by: bigint) => {
    const hours = changes.get(account) ?? new Map<string, bigint>();
    const key = `${meter} ${hourAtMs}`;
    changes.set(account, hours.set(key, (hours.get(key) ?? 0n) + by));
  };
  for (const hour of counted) change(hour, -hour.quantity);
  for (const hour of corrected) change(hour, hour.quantity);
  return accounts.flatMap((account) => {
    const own = [...(changes.get(account.agreement.account) ?? [])].filter(([, by]) => by !== 0n);
    if (own.length === 0) return [];
    const closed = applyChanges(account, new Map(own));
    return [toMoney(account, { ...account, closed })];
  });
}

function applyChanges({ agreement, closed }: BulkAccount, changes: ReadonlyMap<string, bigint>): HourTotal[] {
  const totals = new Map(closed.map((hour) => [`${hour.meter} ${hour.hourAtMs}`, hour.quantity]));
  for (const [key, by] of changes) totals.set(key, (totals.get(key) ?? 0n) + by);
  return [...totals].map(([key, quantity]) => {
    const [name, at] = key.split(' ');
    const meter = METERS.find((one) => one === name);
    const hourAtMs = Number(at);
    if (meter === undefined || quantity < 0n) {
      throw new RangeError(
        `${agreement.account} was closed with less ${name} in ${toIso(hourAtMs)} than would be taken back`,
      );
    }
    return { meter, hourAtMs, quantity };
  });
}

/** Usage times a factor, each hour rounded half away from zero to whole meter units. */
export function scaleHours(hours: readonly AccountHour[], { units, scale }: Decimal): AccountHour[] {
  return hours.map((hour) => ({ ...hour, quantity: divideHalfAway(hour.quantity * units, 10n ** BigInt(scale)) }));
}

/** Tiers by meter that should have held for the whole period. */
export type NewTiers = ReadonlyMap<MeterName, readonly Tier[]>;

/** Money per account under other tiers; those for whom nothing changes are left out. `name` tells the new price apart. */
export function computeRerating(accounts: readonly BulkAccount[], tiers: NewTiers, name: string): BulkMoney[] {
  return accounts
    .map((account) => toMoney(account, { ...account, agreement: withTiers(account.agreement, tiers, name) }))
    .filter(({ amountMinor }) => amountMinor !== 0n);
}

function withTiers(agreement: Agreement, tiers: NewTiers, name: string): Agreement {
  const segments = agreement.segments.map((segment) => {
    const prices = { ...segment.terms.prices };
    for (const [meter, instead] of tiers) prices[meter] = { id: `${meter}-rerate-${name}`, meter, tiers: instead };
    return { ...segment, terms: { ...segment.terms, prices } };
  });
  return { ...agreement, segments };
}

function toMoney(was: BulkAccount, is: BulkAccount): BulkMoney {
  const [before, after] = [sumByPart(was), sumByPart(is)];
  const parts = [...new Set([...before.keys(), ...after.keys()])]
    .map((what) => ({ what, amountMinor: (after.get(what) ?? 0n) - (before.get(what) ?? 0n) }))
    .filter(({ amountMinor }) => amountMinor !== 0n);
  const [beforeMinor, afterMinor] = [sum(before), sum(after)];
  const { account, currency } = was.agreement;
  return { account, currency, beforeMinor, afterMinor, amountMinor: afterMinor - beforeMinor, parts };
}

function sumByPart({ agreement, closed }: BulkAccount): Map<MoneyPart, bigint> {
  const { segments } = agreement;
  // Usage from before the account is nobody's; it shows as USAGE_UNATTRIBUTED.
  const usage = sumHoursBySegment(segments, segments.length === 0 ? [] : closed);
  const sums = new Map<MoneyPart, bigint>();
  for (const line of computeExpectedInvoice(agreement, usage, []).lines) {
    const what = partOf(line);
    sums.set(what, (sums.get(what) ?? 0n) + line.amountMinor - line.discountMinor);
  }
  return sums;
}

function partOf({ kind, meter }: ExpectedLine): MoneyPart {
  return meter ?? (kind === 'commitment' ? 'commitment' : 'plan_fee');
}

function sum(parts: ReadonlyMap<MoneyPart, bigint>): bigint {
  return [...parts.values()].reduce((total, minor) => total + minor, 0n);
}
