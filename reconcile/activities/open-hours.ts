// Usage of periods that still run, sent hour by hour, so that customers and Stripe's own alerts see it and the close has only
// corrections left. What an hour holds may still change: its absolute total is then sent again. Dying anywhere is harmless.
// While lost rows are read again from the log nothing is sent: hours would go down at the biller and come up again.

import type { Account } from '../../accounts/door.ts';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { WAITS } from '../../domain/contracts/waits.ts';
import { hourOf, periodOf, previousPeriod, type Period } from '../../domain/period.ts';
import type { Activities, OpenHoursPage } from '../activity-types.ts';
import { isTooOldToMeter } from '../billing/age.ts';
import { computePushPlan } from '../compare/push-plan.ts';
import { fetchPushed, recordPushed, withPushLock } from '../store/pushes.ts';
import { forEachAtOnce } from './at-once.ts';
import { asOfPeriod, toSubscriptionRef, type Deps } from './deps.ts';

const ACCOUNTS_PER_PAGE = 200;
const ACCOUNTS_AT_ONCE = 5;

export function createOpenHoursActivities(deps: Deps): Pick<Activities, 'pushOpenHours'> {
  return { pushOpenHours: async ({ after }) => pushPage(deps, after) };
}

async function pushPage(deps: Deps, after: string | null): Promise<OpenHoursPage> {
  if (await deps.usage.isBeingRestored()) {
    deps.log.warn('open hours not pushed: lost usage is being read again from the log');
    return { last: null, hours: 0, failed: 0 };
  }
  const nowMs = await deps.clock.now();
  const periods = await fetchOpenPeriods(deps, nowMs);
  const asOf = asOfPeriod(periodOf(nowMs));
  const ids = await deps.accounts.fetchAccountIds({ ...asOf, after, limit: ACCOUNTS_PER_PAGE });
  const page = ids.length === 0 ? [] : await deps.accounts.fetchAccounts(asOf, ids);
  let hours = 0;
  let failed = 0;
  await forEachAtOnce(ACCOUNTS_AT_ONCE, page, async (account) => {
    try {
      for (const period of periods) {
        const sent = await pushAccount(deps, account, { period, nowMs });
        // Not added in one expression: it would forget what other accounts added meanwhile.
        hours += sent;
      }
    } catch (error) {
      // What can't work for an account is found again, and named, when its period is closed.
      if (!(error instanceof TrueupError) || error.retryable) throw error;
      failed += 1;
      deps.log.warn({ account: account.id, code: error.code, error: error.message }, 'open hours not pushed');
    }
  });
  const last = ids.length < ACCOUNTS_PER_PAGE ? null : (ids.at(-1) ?? null);
  deps.metrics?.count('trueup_reconcile_pushed_values_total', {}, hours);
  if (last === null) deps.metrics?.record('trueup_reconcile_pushed_timestamp_seconds', {}, Date.now() / 1_000);
  return { last, hours, failed };
}

/** The period of now, and in its grace the one before, as long as their barrier is not taken. */
async function fetchOpenPeriods(deps: Deps, nowMs: number): Promise<Period[]> {
  const now = periodOf(nowMs);
  const before = previousPeriod(now);
  const candidates = nowMs < before.endAtMs + WAITS.graceMs ? [before, now] : [now];
  const open = await Promise.all(candidates.map(async (period) => (await deps.usage.fetchBarrier(period)) === null));
  return candidates.filter((_, index) => open[index] === true);
}

async function pushAccount(
  deps: Deps,
  account: Account,
  { period, nowMs }: { period: Period; nowMs: number },
): Promise<number> {
  const ref = toSubscriptionRef(account);
  return withPushLock(deps.db, ref.customer, async (tx) => {
    // Asked again under the lock: from the barrier on, the close alone says what an hour came to.
    if ((await deps.usage.fetchBarrier(period)) !== null) return 0;
    const ended = { startAtMs: period.startAtMs, endAtMs: Math.min(period.endAtMs, hourOf(nowMs)) };
    if (ended.endAtMs <= ended.startAtMs) return 0;
    const [own, pushed] = await Promise.all([
      deps.usage.fetchAccountHours(account.id, ended),
      fetchPushed(tx, ref.customer, period),
    ]);
    const isTooOld = (hourAtMs: number) => isTooOldToMeter(hourAtMs, nowMs);
    const { values } = computePushPlan({ closed: own, pushed, isTooOld });
    await deps.billing.pushHours(ref, values, nowMs);
    await recordPushed(tx, ref.customer, values);
    return values.length;
  });
}
