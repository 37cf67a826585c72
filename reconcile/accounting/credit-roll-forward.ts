// Roll-forward of prepaid credit over a period, per grant: opening + granted − applied − expired = closing, and each closing is
// the next period's opening. Pure.

import type { AgreementHistory } from '../../domain/agreement.ts';
import { invariant } from '../../domain/contracts/errors.ts';
import { compareGrants, type CreditGrant } from '../../domain/credits.ts';
import type { Currency } from '../../domain/money.ts';
import type { Period } from '../../domain/period.ts';

export type CreditAccount = Pick<AgreementHistory, 'account' | 'currency' | 'grants' | 'creditsUsed'>;

/** Minor units, none of them negative. */
export type RollForwardRow = {
  readonly account: string;
  readonly currency: Currency;
  readonly grantId: string;
  readonly openingMinor: bigint;
  readonly grantedMinor: bigint;
  readonly appliedMinor: bigint;
  readonly expiredMinor: bigint;
  readonly closingMinor: bigint;
};

/** Grants with a balance or a movement in the period, per account in the order in which they are used. */
export function computeRollForward(accounts: readonly CreditAccount[], period: Period): RollForwardRow[] {
  return accounts.flatMap((account) =>
    [...account.grants]
      .sort(compareGrants)
      .map((grant) => rollForward(account, grant, period))
      .filter((row) => row.openingMinor !== 0n || row.grantedMinor !== 0n),
  );
}

function rollForward(account: CreditAccount, grant: CreditGrant, period: Period): RollForwardRow {
  const applied = (within: (key: string) => boolean) =>
    account.creditsUsed
      .filter((use) => use.grantId === grant.id && within(use.period))
      .reduce((sum, use) => sum + use.amountMinor, 0n);
  const begunBefore = grant.effectiveAtMs < period.startAtMs;
  const begins = !begunBefore && grant.effectiveAtMs < period.endAtMs;
  // What expires when a period ends was that period's to use, so it expires there and opens no other.
  const expiredBefore = grant.expiresAtMs !== null && grant.expiresAtMs <= period.startAtMs;
  const expires = !expiredBefore && grant.expiresAtMs !== null && grant.expiresAtMs <= period.endAtMs;
  const openingMinor = begunBefore && !expiredBefore ? grant.amountMinor - applied((key) => key < period.key) : 0n;
  const grantedMinor = begins ? grant.amountMinor : 0n;
  const appliedMinor = applied((key) => key === period.key);
  const leftMinor = openingMinor + grantedMinor - appliedMinor;
  const { account: id, currency } = account;
  const what = `grant ${grant.id} of ${id} in ${period.key}`;
  invariant(openingMinor >= 0n && leftMinor >= 0n, 'I5', `${what} paid ${-leftMinor} minor units more than it had`);
  const expiredMinor = expires ? leftMinor : 0n;
  return {
    account: id,
    currency,
    grantId: grant.id,
    openingMinor,
    grantedMinor,
    appliedMinor,
    expiredMinor,
    closingMinor: leftMinor - expiredMinor,
  };
}
