// Activities that bring an account's usage to the biller: rate, push, read back, resend. Each reads what it needs afresh, so
// any of them may be repeated on another worker at any time.

import { METERS, type MeterName } from '../../domain/meter.ts';
import { ratePeriod } from '../../domain/rating.ts';
import type { AccountInput, Activities } from '../activity-types.ts';
import { isTooOldToMeter } from '../billing/age.ts';
import { computePushPlan, hoursOf } from '../compare/push-plan.ts';
import { computeDifferingHours, sumHours } from '../compare/transmit.ts';
import { fetchPushed, recordPushed } from '../store/pushes.ts';
import { fetchRunAccount, insertEvidence, recordRated, updateRunAccount } from '../store/runs.ts';
import { fetchBilledAccount, periodOfRun, toSubscriptionRef, type Deps } from './deps.ts';
import { fetchHours, fetchRatedQuantities, toQuantities } from './quantities.ts';

type UsageActivities = Pick<Activities, 'rateAccount' | 'pushUsage' | 'readBack' | 'resendUsage'>;

export function createUsageActivities(deps: Deps): UsageActivities {
  return {
    rateAccount: async (input) => rateAccount(deps, input),
    pushUsage: async (input) => pushUsage(deps, input),
    readBack: async (input) => readBack(deps, input),
    resendUsage: async (input) => resendUsage(deps, input),
  };
}

async function rateAccount(deps: Deps, input: AccountInput): Promise<void> {
  const account = await fetchBilledAccount(deps, input);
  const closed = await deps.usage.fetchClosedHours(periodOfRun(input), account.id);
  const quantityOf = (meter: MeterName) => sumHours(hoursOf(closed.filter((hour) => hour.meter === meter)));
  await recordRated(deps.db, input, ratePeriod(account.terms, toQuantities(quantityOf)));
}

async function pushUsage(deps: Deps, input: AccountInput): Promise<void> {
  const account = await fetchBilledAccount(deps, input);
  const ref = toSubscriptionRef(account);
  const period = periodOfRun(input);
  const nowMs = await deps.clock.now();
  const [closed, pushed] = await Promise.all([
    deps.usage.fetchClosedHours(period, account.id),
    fetchPushed(deps.db, ref.customer, period),
  ]);
  const plan = computePushPlan({ closed, pushed, isTooOld: (hourAtMs) => isTooOldToMeter(hourAtMs, nowMs) });
  await deps.billing.pushHours(ref, plan.values, nowMs);
  await recordPushed(deps.db, ref.customer, plan.values);
  deps.log.debug(
    { run: input.run, account: account.id, hours: plan.values.length, tooOld: plan.tooOld },
    'usage pushed',
  );
}

async function readBack(deps: Deps, input: AccountInput): Promise<boolean> {
  const ref = toSubscriptionRef(await fetchBilledAccount(deps, input));
  const period = periodOfRun(input);
  const read = await Promise.all(
    METERS.map(async (meter) => [meter, await deps.billing.fetchSummary(ref, meter, period)] as const),
  );
  const summaries = Object.fromEntries(read.map(([meter, total]) => [meter, total.toString()]));
  const evidence = await insertEvidence(deps.db, 'stripe-summary', {
    customer: ref.customer,
    period: period.key,
    summaries,
  });
  await updateRunAccount(deps.db, input, {
    summaries: JSON.stringify(summaries),
    evidence: JSON.stringify([evidence]),
  });
  const rated = await fetchRatedQuantities(deps, input);
  return read.every(([meter, total]) => total === rated[meter]);
}

/** Sends the differing hours once more, whatever our record of pushes says: it is Stripe's totals that disagree. */
async function resendUsage(deps: Deps, input: AccountInput): Promise<void> {
  const account = await fetchBilledAccount(deps, input);
  const ref = toSubscriptionRef(account);
  const nowMs = await deps.clock.now();
  const { summaries } = await fetchRunAccount(deps.db, input);
  const rated = await fetchRatedQuantities(deps, input);
  const differing = METERS.filter((meter) => summaries[meter] !== rated[meter]);
  for (const meter of differing) {
    const { own, billers } = await fetchHours(deps, account, { meter, period: periodOfRun(input) });
    const values = computeDifferingHours(own, billers)
      .filter((hourAtMs) => !isTooOldToMeter(hourAtMs, nowMs))
      .map((hourAtMs) => ({ meter, hourAtMs, quantity: own.get(hourAtMs) ?? 0n }));
    await deps.billing.pushHours(ref, values, nowMs);
    await recordPushed(deps.db, ref.customer, values);
    deps.log.warn({ run: input.run, account: account.id, meter, hours: values.length }, 'differing hours sent again');
  }
}
