// Which holds keep an account's usage from being pushed or its invoice from being finalized, at a business time. Pure. What
// has expired or was released holds nothing.

import { toIso } from '../../domain/period.ts';

export type HoldKind = 'pushes' | 'finalization';

export type Hold = {
  readonly id: string;
  /** Null holds all accounts. */
  readonly account: string | null;
  readonly kinds: readonly HoldKind[];
  readonly reason: string;
  readonly owner: string;
  readonly heldAtMs: number;
  readonly expiresAtMs: number;
  readonly released: { readonly atMs: number; readonly by: string; readonly reason: string } | null;
};

export type HoldState = 'in force' | 'expired' | 'released';

export function computeHoldState({ expiresAtMs, released }: Hold, nowMs: number): HoldState {
  if (released !== null && released.atMs <= nowMs) return 'released';
  return expiresAtMs <= nowMs ? 'expired' : 'in force';
}

/** Those that keep `kind` of this account from happening, oldest first. */
export function computeHolds(
  holds: readonly Hold[],
  { account, kind, nowMs }: { readonly account: string; readonly kind: HoldKind; readonly nowMs: number },
): Hold[] {
  return holds
    .filter((hold) => hold.account === null || hold.account === account)
    .filter((hold) => hold.kinds.includes(kind) && computeHoldState(hold, nowMs) === 'in force')
    .sort((a, b) => a.heldAtMs - b.heldAtMs);
}

/** What stands beside a held invoice: `ON_HOLD: chargeback under way (jo, until 2026-11-05T00:00:00.000Z)`. */
export function formatHold({ reason, owner, expiresAtMs, account }: Hold): string {
  const scope = account === null ? ', all accounts' : '';
  return `ON_HOLD: ${reason} (${owner}, until ${toIso(expiresAtMs)}${scope})`;
}
