// Plans and prices as versioned data, after Temporal Cloud's public price list (pricing page, as of November 2026):
// graduated account-wide tiers, an allowance as first tier at 0, a plan fee that is the greater of a minimum and a
// share of usage. Amounts are USD cents per meter unit (METER_UNITS).

import { canonicalJson, sha256 } from './canonical.ts';
import { TrueupError } from './contracts/errors.ts';
import { formatDecimal, parseDecimal, type Decimal } from './decimal.ts';
import { METERS, type MeterName } from './meter.ts';
import { toIso } from './period.ts';

/** `upTo` is inclusive and in meter units; null is the open end. */
export type Tier = { readonly upTo: bigint | null; readonly unitAmount: Decimal };

/** One immutable price. Its id is the lookup key under which Stripe knows it. */
export type Price = { readonly id: string; readonly meter: MeterName; readonly tiers: readonly Tier[] };

export type Plan = {
  readonly id: string;
  readonly prices: Readonly<Record<MeterName, Price>>;
  readonly fee: { readonly minimumMinor: bigint; readonly basisPoints: bigint };
};

export const PLAN_IDS = ['developer', 'business', 'enterprise'] as const;
export type PlanId = (typeof PLAN_IDS)[number];

const VERSION = '2026-01';
/** The currency of every list price and plan minimum. */
export const LIST_CURRENCY = 'usd';
const MILLION_ACTIONS = 10_000_000n;
const GBH = 1000n;

type Step = { readonly width: bigint | null; readonly unitAmount: string };

const LIST_ACTIONS: readonly Step[] = [
  { width: 5n * MILLION_ACTIONS, unitAmount: '0.0005' },
  { width: 5n * MILLION_ACTIONS, unitAmount: '0.00045' },
  { width: 10n * MILLION_ACTIONS, unitAmount: '0.0004' },
  { width: 30n * MILLION_ACTIONS, unitAmount: '0.00035' },
  { width: 50n * MILLION_ACTIONS, unitAmount: '0.0003' },
  { width: null, unitAmount: '0.00025' },
];
const FLAT_ACTIONS: readonly Step[] = [{ width: null, unitAmount: '0.0005' }];
const ACTIVE: readonly Step[] = [{ width: null, unitAmount: '0.0042' }];
const RETAINED: readonly Step[] = [{ width: null, unitAmount: '0.000105' }];

function toTiers(allowance: bigint, steps: readonly Step[]): Tier[] {
  const tiers: Tier[] = allowance === 0n ? [] : [{ upTo: allowance, unitAmount: parseDecimal('0') }];
  let reached = allowance;
  for (const { width, unitAmount } of steps) {
    reached += width ?? 0n;
    tiers.push({ upTo: width === null ? null : reached, unitAmount: parseDecimal(unitAmount) });
  }
  return tiers;
}

type PlanTerms = {
  readonly allowance: Readonly<Record<MeterName, bigint>>;
  readonly actions: readonly Step[];
  readonly minimumMinor: bigint;
};

function toPlan(id: PlanId, { allowance, actions, minimumMinor }: PlanTerms): Plan {
  const price = (meter: MeterName, steps: readonly Step[]): Price => ({
    id: `${meter}-${id}-${VERSION}`,
    meter,
    tiers: toTiers(allowance[meter], steps),
  });
  return {
    id,
    prices: {
      actions: price('actions', actions),
      active_storage: price('active_storage', ACTIVE),
      retained_storage: price('retained_storage', RETAINED),
    },
    fee: { minimumMinor, basisPoints: 1000n },
  };
}

/** The enterprise minimum is set by contract; the figure here is illustrative. */
export const PLANS: Readonly<Record<PlanId, Plan>> = {
  developer: toPlan('developer', {
    allowance: { actions: 0n, active_storage: 0n, retained_storage: 0n },
    actions: FLAT_ACTIONS,
    minimumMinor: 0n,
  }),
  business: toPlan('business', {
    allowance: { actions: 25_000_000n, active_storage: 1860n * GBH, retained_storage: 74_400n * GBH },
    actions: LIST_ACTIONS,
    minimumMinor: 50_000n,
  }),
  enterprise: toPlan('enterprise', {
    allowance: { actions: 100_000_000n, active_storage: 7440n * GBH, retained_storage: 297_600n * GBH },
    actions: LIST_ACTIONS,
    minimumMinor: 200_000n,
  }),
};

/** Throws `rejected` PLAN_UNKNOWN. */
export function parsePlanId(text: string): PlanId {
  if (Object.hasOwn(PLANS, text)) return text as PlanId;
  throw new TrueupError({
    kind: 'rejected',
    code: 'PLAN_UNKNOWN',
    message: `there is no plan "${text}"`,
    field: 'plan',
    next: `use one of ${PLAN_IDS.join(', ')}`,
  });
}

/** What an account pays for a period: its plan, with prices replaced by contract where one is in force. */
export type Terms = {
  readonly planId: PlanId;
  readonly prices: Readonly<Record<MeterName, Price>>;
  readonly fee: Plan['fee'];
};

export type ContractPrice = {
  readonly meter: MeterName;
  readonly effectiveFromMs: number;
  readonly tiers: readonly Tier[];
};

/** The price id of a contract: one immutable price per account, meter and start. */
export function contractPrice(account: string, contract: ContractPrice): Price {
  const start = new Date(contract.effectiveFromMs).toISOString().slice(0, 10);
  return { id: `${contract.meter}-contract-${account}-${start}`, meter: contract.meter, tiers: contract.tiers };
}

/** The terms in force at `atMs`: the latest contract price per meter that has started, else the plan's list price. */
export function termsAt(account: string, planId: PlanId, contracts: readonly ContractPrice[], atMs: number): Terms {
  const plan = PLANS[planId];
  const prices = { ...plan.prices };
  for (const meter of METERS) {
    const started = contracts.filter((c) => c.meter === meter && c.effectiveFromMs <= atMs);
    const latest = started.sort((a, b) => b.effectiveFromMs - a.effectiveFromMs)[0];
    if (latest !== undefined) prices[meter] = contractPrice(account, latest);
  }
  return { planId, prices, fee: plan.fee };
}

/**
 * A period is billed by the terms of its start, so a price that changed inside one would not be charged. Throws
 * `rejected` CONTRACT_START_INVALID unless every contract starts with a month (UTC) or with the account.
 */
export function checkContractStarts(account: string, contracts: readonly ContractPrice[], createdAtMs: number): void {
  for (const { meter, effectiveFromMs } of contracts) {
    const start = new Date(effectiveFromMs);
    const monthStartMs = Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), 1);
    if (effectiveFromMs === monthStartMs || effectiveFromMs === createdAtMs) continue;
    throw new TrueupError({
      kind: 'rejected',
      code: 'CONTRACT_START_INVALID',
      message: `the contract price of ${account} for ${meter} starts inside a month, at ${toIso(effectiveFromMs)}`,
      field: 'effectiveFrom',
      next: `let it start at 00:00:00 UTC on the first of a month, or with the account at ${toIso(createdAtMs)}`,
    });
  }
}

/** A price as plain data, for hashing, storing and comparing. */
export function priceRecord(price: Price): {
  id: string;
  meter: string;
  tiers: { upTo: string; unitAmount: string }[];
} {
  return {
    id: price.id,
    meter: price.meter,
    tiers: price.tiers.map((tier) => ({
      upTo: tier.upTo === null ? 'inf' : tier.upTo.toString(),
      unitAmount: formatDecimal(tier.unitAmount),
    })),
  };
}

/** Binds a report to the list prices it was rated with. */
export function priceBookHash(): string {
  const plans = PLAN_IDS.map((id) => ({
    id,
    fee: { minimumMinor: PLANS[id].fee.minimumMinor.toString(), basisPoints: PLANS[id].fee.basisPoints.toString() },
    prices: METERS.map((meter) => priceRecord(PLANS[id].prices[meter])),
  }));
  return sha256(canonicalJson({ version: VERSION, plans }));
}
