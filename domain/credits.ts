// Prepaid credit: bought ahead, used by metered usage only. A grant is used up before the next one begins, in the order
// that was agreed, so that which credit paid for what never depends on who asks.

import type { Period } from './period.ts';

export type CreditGrant = {
  readonly id: string;
  readonly amountMinor: bigint;
  /** 0 is used first, 100 last. */
  readonly priority: number;
  readonly effectiveAtMs: number;
  /** Exclusive: a grant that expires when a period ends can still pay for that period. Null for never. */
  readonly expiresAtMs: number | null;
};

/** A grant with what earlier periods left of it. */
export type OpenGrant = CreditGrant & { readonly remainingMinor: bigint };

/** Who goes first: lower priority number, then sooner expiry, then earlier start, then id. */
export function compareGrants(a: CreditGrant, b: CreditGrant): number {
  const expiry = (grant: CreditGrant) => grant.expiresAtMs ?? Number.MAX_SAFE_INTEGER;
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (expiry(a) !== expiry(b)) return expiry(a) - expiry(b);
  if (a.effectiveAtMs !== b.effectiveAtMs) return a.effectiveAtMs - b.effectiveAtMs;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Whether the invoice of `period` may use it: in force in the period's last instant. */
export function isUsableFor(grant: CreditGrant, period: Period): boolean {
  return grant.effectiveAtMs < period.endAtMs && (grant.expiresAtMs === null || grant.expiresAtMs >= period.endAtMs);
}

export type CreditUse = {
  /** Credit per charge, in the order of the charges. */
  readonly perCharge: readonly bigint[];
  /** What each grant paid, in the order of use; grants that paid nothing are left out. */
  readonly perGrant: readonly { readonly grantId: string; readonly amountMinor: bigint }[];
};

/** Pays the charges, in their order, from the grants, in theirs. A charge of nothing or below takes no credit. */
export function computeCreditUse(charges: readonly bigint[], grants: readonly OpenGrant[]): CreditUse {
  const perCharge = charges.map(() => 0n);
  const perGrant: { grantId: string; amountMinor: bigint }[] = [];
  for (const grant of [...grants].sort(compareGrants)) {
    let left = grant.remainingMinor;
    for (const [index, charge] of charges.entries()) {
      const paid = perCharge[index] ?? 0n;
      const due = charge - paid;
      if (left <= 0n || due <= 0n) continue;
      const part = due < left ? due : left;
      perCharge[index] = paid + part;
      left -= part;
    }
    if (left < grant.remainingMinor) perGrant.push({ grantId: grant.id, amountMinor: grant.remainingMinor - left });
  }
  return { perCharge, perGrant };
}
