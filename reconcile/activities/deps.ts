// What activities work with. main.ts wires it; tests put another usage source behind the same door.

import type { Accounts, Account, AsOf } from '../../accounts/door.ts';
import type { Adjustments, Usage, UsageReads } from '../../aggregate/usage.ts';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { parsePeriod, type Period } from '../../domain/period.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { AccountInput, RunInput } from '../activity-types.ts';
import type { Billing, SubscriptionRef } from '../billing/port.ts';
import type { ReconcileDb } from '../store/db.ts';
import { createRows, type Rows } from './rows.ts';

/** What a close needs of the usage door. */
export type ClosedUsage = Pick<
  Usage,
  | 'fetchEndOffsets'
  | 'takeBarrier'
  | 'fetchBarrier'
  | 'isBeingRestored'
  | 'checkRolledUp'
  | 'closePeriod'
  | 'fetchClosedHours'
  | 'fetchClosedHoursOf'
  | 'fetchClosedTotals'
  | 'fetchLateTotals'
  | 'fetchIngestCounts'
  | 'fetchManifestEvents'
  | 'fetchShortSources'
  | 'fetchMiscounts'
> &
  Pick<Adjustments, 'recordAdjustments'> &
  Pick<UsageReads, 'fetchAccountHours'>;

export type Deps = {
  readonly db: ReconcileDb;
  /** Set while a batch is worked on. */
  readonly rows?: Rows;
  readonly usage: ClosedUsage;
  readonly accounts: Accounts;
  readonly billing: Billing;
  readonly clock: Clock;
  readonly log: Log;
  /** Left out where nobody scrapes. */
  readonly metrics?: Metrics;
  readonly codeVersion: string;
};

/** What is stored about accounts, for a whole batch at once where one is worked on. */
export function rowsOf({ rows, db }: Deps): Rows {
  return rows ?? createRows(db);
}

export function periodOfRun({ periodKey }: RunInput): Period {
  return parsePeriod(periodKey);
}

/** A period bills every account that existed in it, by the terms of its start: they hold for the whole of it. */
export function asOfPeriod({ startAtMs, endAtMs }: Period): AsOf {
  return { existingAtMs: endAtMs - 1, termsAtMs: startAtMs };
}

export async function fetchBilledAccount(deps: Deps, input: AccountInput): Promise<Account> {
  return deps.accounts.fetchAccount(input.account, asOfPeriod(periodOfRun(input)));
}

/** Throws `rejected` STRIPE_NOT_FOUND for an account that was never set up for billing. */
export function toSubscriptionRef(account: Account): SubscriptionRef {
  const { customer, subscription } = account.stripe;
  if (customer === undefined || subscription === undefined) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'STRIPE_NOT_FOUND',
      message: `account ${account.id} has no Stripe customer and subscription`,
      next: 'provision its billing, then close again',
    });
  }
  return { account: account.id, customer, subscription };
}
