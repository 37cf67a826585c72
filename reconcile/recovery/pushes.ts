// After Postgres was restored to an earlier time, our record of what the biller was sent is older than what it was sent. A
// push only sends what differs from that record, so an hour that changed and changed back would stay wrong, and one that
// emptied would stay full. So the record is made again from what the biller says. Reads only at the biller; when it dies, run
// it again.

import type { Account, Accounts } from '../../accounts/door.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Period } from '../../domain/period.ts';
import { forEachAtOnce } from '../activities/at-once.ts';
import { asOfPeriod } from '../activities/deps.ts';
import type { Billing, CustomerRef } from '../billing/port.ts';
import type { ReconcileDb } from '../store/db.ts';
import { fetchPushed, replacePushed, withPushLock } from '../store/pushes.ts';

export type PushRecovery = {
  readonly db: ReconcileDb;
  readonly accounts: Accounts;
  readonly billing: Billing;
  readonly periods: readonly Period[];
  readonly onAccount?: (done: number, total: number) => void;
};

const AT_ONCE = 4;

/** Resolves with the number of accounts whose record was not what the biller holds. */
export async function readBackPushes(recovery: PushRecovery): Promise<number> {
  const corrected = new Set<string>();
  for (const period of recovery.periods) {
    const all = await recovery.accounts.fetchAccounts(asOfPeriod(period));
    let done = 0;
    await forEachAtOnce(AT_ONCE, all, async (account) => {
      if (await readBackAccount(recovery, account, period)) corrected.add(account.id);
      done += 1;
      recovery.onAccount?.(done, all.length);
    });
  }
  return corrected.size;
}

async function readBackAccount({ db, billing }: PushRecovery, account: Account, period: Period): Promise<boolean> {
  const { customer } = account.stripe;
  if (customer === undefined) return false;
  const ref: CustomerRef = { account: account.id, customer };
  return withPushLock(db, customer, async (tx) => {
    const pushed = await fetchPushed(tx, customer, period);
    let corrected = false;
    for (const meter of METERS) {
      const recorded = pushed.filter((hour) => hour.meter === meter);
      if (!(await differs(billing, { ref, meter, period, recorded }))) continue;
      const hours = await billing.fetchHourSummaries(ref, meter, period);
      const values = [...hours].map(([hourAtMs, quantity]) => ({ meter, hourAtMs, quantity }));
      await replacePushed(tx, { customer, meter, period }, values);
      corrected = true;
    }
    return corrected;
  });
}

type Recorded = {
  readonly ref: CustomerRef;
  readonly meter: MeterName;
  readonly period: Period;
  readonly recorded: readonly { readonly quantity: bigint }[];
};

/** By the sum, which is one call: hours are asked for only where it is another one. */
async function differs(billing: Billing, { ref, meter, period, recorded }: Recorded): Promise<boolean> {
  const sum = recorded.reduce((total, { quantity }) => total + quantity, 0n);
  return (await billing.fetchSummary(ref, meter, period)) !== sum;
}
