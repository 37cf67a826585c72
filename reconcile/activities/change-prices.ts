// A change of prices inside a period. In flexible mode the biller charges what was used before the swap at the old price, by what
// it has been sent when the swap arrives: so everything until then is sent and compared first. Dying anywhere is harmless:
// hours are replaced, and prices that are swapped stay.

import { invariant, TrueupError } from '../../domain/contracts/errors.ts';
import { METERS } from '../../domain/meter.ts';
import { periodOf, toIso, type Period } from '../../domain/period.ts';
import { isTooOldToMeter } from '../billing/age.ts';
import type { SubscriptionRef } from '../billing/port.ts';
import { computePushPlan, hoursOf } from '../compare/push-plan.ts';
import { sumHours } from '../compare/transmit.ts';
import { fetchPushed, recordPushed, withPushLock } from '../store/pushes.ts';
import { toSubscriptionRef, type Deps } from './deps.ts';

/**
 * Swaps the account's prices at the biller for those agreed from `atMs` on, to be called right at that time: the biller's own
 * clock divides the usage. Throws `unavailable` SUMMARY_NOT_READY while the biller has not counted what it was sent.
 */
export async function changeAccountPrices(deps: Deps, id: string, atMs: number): Promise<void> {
  const nowMs = await deps.clock.now();
  invariant(nowMs >= atMs, 'I5', `prices of ${id} change at ${toIso(atMs)}, which is not before ${toIso(nowMs)}`);
  const account = await deps.accounts.fetchAccount(id, { existingAtMs: atMs, termsAtMs: atMs });
  const ref = toSubscriptionRef(account);
  const prices = METERS.map((meter) => account.terms.prices[meter]);
  for (const price of prices) await deps.billing.ensurePrice(price, account.currency);
  const period = periodOf(atMs);
  const until = { ...period, endAtMs: atMs };
  if (until.startAtMs < atMs) {
    await pushUntil(deps, ref, until, nowMs);
    await checkCounted(deps, ref, until);
  }
  await deps.billing.changePrices(ref, prices, atMs);
}

async function pushUntil(deps: Deps, ref: SubscriptionRef, until: Period, nowMs: number): Promise<void> {
  await withPushLock(deps.db, ref.customer, async (tx) => {
    const [closed, pushed] = await Promise.all([
      deps.usage.fetchAccountHours(ref.account, until),
      fetchPushed(tx, ref.customer, until),
    ]);
    const isTooOld = (hourAtMs: number) => isTooOldToMeter(hourAtMs, nowMs);
    const { values } = computePushPlan({ closed, pushed, isTooOld });
    await deps.billing.pushHours(ref, values, nowMs);
    await recordPushed(tx, ref.customer, values);
  });
}

async function checkCounted(deps: Deps, ref: SubscriptionRef, until: Period): Promise<void> {
  const own = await deps.usage.fetchAccountHours(ref.account, until);
  for (const meter of METERS) {
    const used = sumHours(hoursOf(own.filter((hour) => hour.meter === meter)));
    const counted = await deps.billing.fetchSummary(ref, meter, until);
    if (counted === used) continue;
    throw new TrueupError({
      kind: 'unavailable',
      code: 'SUMMARY_NOT_READY',
      message: `${meter} of ${ref.account} until ${toIso(until.endAtMs)} is ${used}, and the biller counts ${counted}`,
      next: 'its prices stay until both agree; ask again',
    });
  }
}
