// The terms an account has agreed to at an instant: its plan, with prices and the plan fee replaced by contract where one is
// in force. List prices and plan minimums are in one currency; an account in another one pays by contract or is refused,
// because a list amount read in the wrong currency is wrong by its exchange rate or by a power of ten.

import { TrueupError } from './contracts/errors.ts';
import { METERS } from './meter.ts';
import type { Currency } from './money.ts';
import { toIso } from './period.ts';
import { LIST_CURRENCY, PLANS, termsAt, type ContractPrice, type PlanId, type Terms } from './price-book.ts';

/** Replaces the plan's fee, in the account's currency. */
export type ContractFee = {
  readonly effectiveFromMs: number;
  readonly minimumMinor: bigint;
  readonly basisPoints: bigint;
};

export type Contracted = {
  readonly account: string;
  readonly currency: Currency;
  readonly contracts: readonly ContractPrice[];
  readonly fees: readonly ContractFee[];
};

/** The latest entry that has begun by `atMs`, or undefined. */
export function inForceAt<T extends { readonly effectiveFromMs: number }>(
  entries: readonly T[],
  atMs: number,
): T | undefined {
  let latest: T | undefined;
  for (const entry of entries) {
    if (entry.effectiveFromMs > atMs) continue;
    if (latest === undefined || entry.effectiveFromMs > latest.effectiveFromMs) latest = entry;
  }
  return latest;
}

/** Throws `rejected` CURRENCY_UNPRICED where a price or the minimum has no amount in the account's currency. */
export function agreedTermsAt(of: Contracted, planId: PlanId, atMs: number): Terms {
  const listed = termsAt(of.account, planId, of.contracts, atMs);
  const agreed = inForceAt(of.fees, atMs);
  const fee = agreed === undefined ? listed.fee : toFee(agreed);
  if (of.currency !== LIST_CURRENCY) {
    const unpriced = METERS.filter((meter) => listed.prices[meter] === PLANS[planId].prices[meter]);
    if (unpriced.length > 0) refuse(of, atMs, `a contract price in ${of.currency} for ${unpriced.join(', ')}`);
    if (agreed === undefined && fee.minimumMinor > 0n) refuse(of, atMs, `a contract fee in ${of.currency}`);
  }
  return { ...listed, fee };
}

function toFee({ minimumMinor, basisPoints }: ContractFee): Terms['fee'] {
  return { minimumMinor, basisPoints };
}

function refuse({ account, currency }: Contracted, atMs: number, missing: string): never {
  throw new TrueupError({
    kind: 'rejected',
    code: 'CURRENCY_UNPRICED',
    message: `account ${account} is in ${currency}, and list prices and plan minimums are in ${LIST_CURRENCY} only`,
    field: 'currency',
    next: `give it ${missing} from ${toIso(atMs)} or earlier`,
  });
}
