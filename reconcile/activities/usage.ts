// Activities that bring the usage of a batch of accounts to the biller: rate, push, read back, resend. Each reads what it
// needs afresh, so any of them may be repeated on another worker at any time.

import { METERS } from '../../domain/meter.ts';
import type { AccountInput, Activities } from '../activity-types.ts';
import { isTooOldToMeter } from '../billing/age.ts';
import { computePushPlan } from '../compare/push-plan.ts';
import { computeDifferingHours } from '../compare/transmit.ts';
import { formatHold } from '../holds/compute.ts';
import { computeRated } from '../runs/rated.ts';
import { recordPushed, withPushLock } from '../store/pushes.ts';
import { insertEvidence, updateRunAccount } from '../store/runs.ts';
import { recordRated } from '../store/rated.ts';
import { forEachMember } from './batch.ts';
import { fetchBilledAccount, periodOfRun, rowsOf, toSubscriptionRef, type Deps } from './deps.ts';
import { fetchAccountHolds } from './holds.ts';
import { fetchAgreedUsage, fetchHours, fetchRatedQuantities } from './quantities.ts';

type UsageActivities = Pick<Activities, 'rateAccounts' | 'pushUsage' | 'readBack' | 'resendUsage'>;

export function createUsageActivities(deps: Deps): UsageActivities {
  return {
    rateAccounts: async (batch) => forEachMember(deps, batch, async (input, own) => rateAccount(own, input)),
    pushUsage: async (batch) => forEachMember(deps, batch, async (input, own) => unlessHeld(own, input, pushUsage)),
    readBack: async (batch) => {
      let differing = 0;
      await forEachMember(deps, batch, async (input, own) => {
        if (!(await readBack(own, input))) differing += 1;
      });
      return differing;
    },
    resendUsage: async (batch) => forEachMember(deps, batch, async (input, own) => unlessHeld(own, input, resendUsage)),
  };
}

/** Usage that is held is not sent; the summaries then differ, and the gate holds the invoice as well. */
async function unlessHeld(
  deps: Deps,
  input: AccountInput,
  send: (deps: Deps, input: AccountInput) => Promise<void>,
): Promise<void> {
  const holds = await fetchAccountHolds(deps, input.account, 'pushes');
  if (holds.length === 0) return send(deps, input);
  deps.log.warn({ run: input.run, account: input.account, holds: holds.map(formatHold) }, 'usage held');
}

async function rateAccount(deps: Deps, input: AccountInput): Promise<void> {
  const agreed = await fetchAgreedUsage(deps, input.account, periodOfRun(input));
  await recordRated(deps.db, input, computeRated(agreed));
}

async function pushUsage(deps: Deps, input: AccountInput): Promise<void> {
  const account = await fetchBilledAccount(deps, input);
  const ref = toSubscriptionRef(account);
  const period = periodOfRun(input);
  const nowMs = await deps.clock.now();
  const [closed, pushed] = await Promise.all([
    deps.usage.fetchClosedHours(period, account.id),
    rowsOf(deps).fetchPushed(ref.customer, period),
  ]);
  const plan = computePushPlan({ closed, pushed, isTooOld: (hourAtMs) => isTooOldToMeter(hourAtMs, nowMs) });
  if (plan.values.length > 0) {
    await withPushLock(deps.db, ref.customer, async (tx) => {
      await deps.billing.pushHours(ref, plan.values, nowMs);
      await recordPushed(tx, ref.customer, plan.values);
    });
  }
  deps.log.debug(
    { run: input.run, account: account.id, hours: plan.values.length, tooOld: plan.tooOld },
    'usage pushed',
  );
}

/** What agreed when it was read before, in this run, is not asked for again: it is the others that are waited for. */
async function readBack(deps: Deps, input: AccountInput): Promise<boolean> {
  const rated = await fetchRatedQuantities(deps, input);
  const { summaries: before } = await rowsOf(deps).fetchRunAccount(input);
  if (METERS.every((meter) => before[meter] === rated[meter])) return true;
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
  return read.every(([meter, total]) => total === rated[meter]);
}

/** Sends the differing hours once more, whatever our record of pushes says: it is Stripe's totals that disagree. */
async function resendUsage(deps: Deps, input: AccountInput): Promise<void> {
  const account = await fetchBilledAccount(deps, input);
  const ref = toSubscriptionRef(account);
  const nowMs = await deps.clock.now();
  const { summaries } = await rowsOf(deps).fetchRunAccount(input);
  const rated = await fetchRatedQuantities(deps, input);
  const differing = METERS.filter((meter) => summaries[meter] !== rated[meter]);
  for (const meter of differing) {
    const { own, billers } = await fetchHours(deps, account, { meter, period: periodOfRun(input) });
    const values = computeDifferingHours(own, billers)
      .filter((hourAtMs) => !isTooOldToMeter(hourAtMs, nowMs))
      .map((hourAtMs) => ({ meter, hourAtMs, quantity: own.get(hourAtMs) ?? 0n }));
    await withPushLock(deps.db, ref.customer, async (tx) => {
      await deps.billing.pushHours(ref, values, nowMs);
      await recordPushed(tx, ref.customer, values);
    });
    deps.log.warn({ run: input.run, account: account.id, meter, hours: values.length }, 'differing hours sent again');
  }
}
