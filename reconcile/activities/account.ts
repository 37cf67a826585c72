// Activities of one account: rate, push, read back, bill, compare. Each reads what it needs afresh, so any of them may
// be repeated on another worker at any time.

import { invariant } from '../../domain/contracts/errors.ts';
import { WAITS } from '../../domain/contracts/waits.ts';
import { METERS, type MeterName } from '../../domain/meter.ts';
import type { Period } from '../../domain/period.ts';
import { ratePeriod, type MeterQuantities } from '../../domain/rating.ts';
import type { Account } from '../../accounts/door.ts';
import type { AccountInput, Activities } from '../activity-types.ts';
import { isTooOldToMeter } from '../billing/age.ts';
import { toBreak } from '../compare/break.ts';
import { compareCoverage } from '../compare/coverage.ts';
import { compareInvoice } from '../compare/invoice.ts';
import { computePushPlan, hoursOf } from '../compare/push-plan.ts';
import { compareTransmit, computeDifferingHours, sumHours, type HourQuantities } from '../compare/transmit.ts';
import { computeGate } from '../gate.ts';
import { replaceAccountBreaks } from '../store/breaks.ts';
import { fetchPushed, recordPushed } from '../store/pushes.ts';
import {
  fetchBatch,
  fetchRatedLines,
  fetchRunAccount,
  insertEvidence,
  recordRated,
  updateRunAccount,
  type RunAccount,
} from '../store/runs.ts';
import { fetchBilledAccount, periodOfRun, toSubscriptionRef, type Deps } from './deps.ts';

type AccountActivities = Pick<
  Activities,
  | 'fetchMembers'
  | 'rateAccount'
  | 'pushUsage'
  | 'readBack'
  | 'resendUsage'
  | 'billAccount'
  | 'compareAccount'
  | 'failAccount'
>;

export function createAccountActivities(deps: Deps): AccountActivities {
  return {
    fetchMembers: async ({ run, batch }) => fetchBatch(deps.db, run, batch),
    rateAccount: async (input) => rateAccount(deps, input),
    pushUsage: async (input) => pushUsage(deps, input),
    readBack: async (input) => readBack(deps, input),
    resendUsage: async (input) => resendUsage(deps, input),
    billAccount: async (input) => billAccount(deps, input),
    compareAccount: async (input) => compareAccount(deps, input),
    failAccount: async (input) => {
      await updateRunAccount(deps.db, input, { state: 'failed', reasons: JSON.stringify([input.code]) });
      deps.log.error({ run: input.run, account: input.account, code: input.code }, 'account not billed');
    },
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

/** Fee on the draft, gate, finalize. What holds an invoice back is recorded; it stays a claimed draft. */
async function billAccount(deps: Deps, input: AccountInput): Promise<void> {
  const account = await fetchBilledAccount(deps, input);
  const ref = toSubscriptionRef(account);
  const period = periodOfRun(input);
  const invoices = await deps.billing.claimCycleInvoices(ref, period);
  await updateRunAccount(deps.db, input, { invoices: JSON.stringify(invoices), reasons: '[]' });
  const draft = invoices.find((invoice) => invoice.draft);
  if (draft === undefined) return;

  const row = await fetchRunAccount(deps.db, input);
  const feeMinor = row.rated?.feeMinor ?? null;
  const feeOnDraftMinor =
    feeMinor === null || feeMinor === 0n
      ? feeMinor
      : await deps.billing.ensurePlanFee({
          ref,
          invoice: draft.id,
          period,
          amountMinor: feeMinor,
          currency: account.currency,
        });
  const decision = computeGate({
    rated: row.rated === null ? null : await fetchRatedQuantities(deps, input),
    summaries: row.summaries,
    feeMinor,
    feeOnDraftMinor,
    invoices: invoices.length,
  });
  if (!decision.pass) {
    await updateRunAccount(deps.db, input, { reasons: JSON.stringify(decision.reasons) });
    deps.log.warn({ run: input.run, account: account.id, reasons: decision.reasons }, 'invoice held');
    return;
  }
  await deps.billing.finalize(draft.id);
  const finalized = invoices.map((invoice) => (invoice.id === draft.id ? { ...invoice, draft: false } : invoice));
  await updateRunAccount(deps.db, input, { invoices: JSON.stringify(finalized) });
}

async function compareAccount(deps: Deps, input: AccountInput): Promise<void> {
  const account = await fetchBilledAccount(deps, input);
  const row = await fetchRunAccount(deps.db, input);
  invariant(row.rated !== null, 'I6', `account ${account.id} is compared before it was rated`);
  const { rated } = row;
  const period = periodOfRun(input);
  const transmit = await compareSummaries(deps, account, {
    period,
    row,
    quantities: await fetchRatedQuantities(deps, input),
  });
  const coverage = compareCoverage({
    account: account.id,
    currency: account.currency,
    period: period.key,
    totalMinor: rated.usageMinor + rated.feeMinor,
    invoices: row.invoices.length,
  });
  const [only, ...others] = row.invoices;
  const finalized = only !== undefined && !only.draft && others.length === 0 ? only : undefined;
  const evidence = [...row.evidence.slice(0, 1), ...transmit.evidence];
  const findings = [...transmit.findings, ...coverage];
  if (finalized === undefined) {
    const state = row.invoices.length === 0 ? 'missing' : 'held';
    await updateRunAccount(deps.db, input, { state, evidence: JSON.stringify(evidence) });
  } else {
    const invoice = await deps.billing.fetchInvoice(finalized.id);
    invariant(
      invoice.currency === account.currency,
      'I5',
      `invoice ${invoice.id} is in ${invoice.currency}, agreed is ${account.currency}`,
    );
    evidence.push(await insertEvidence(deps.db, 'stripe-invoice', invoice.snapshot));
    const sides = {
      account: account.id,
      currency: account.currency,
      period,
      terms: account.terms,
      feeMinor: rated.feeMinor,
    };
    findings.push(...compareInvoice({ ...sides, transmitted: transmit.totals, lines: invoice.lines }));
    await updateRunAccount(deps.db, input, {
      state: 'billed',
      invoice_number: invoice.number,
      invoice_status: invoice.status,
      invoiced_minor: invoice.totalMinor.toString(),
      line_minor: invoice.lines.reduce((sum, line) => sum + line.amountMinor, 0n).toString(),
      evidence: JSON.stringify(evidence),
    });
  }
  const brokeAtMs = period.endAtMs + WAITS.graceMs;
  await replaceAccountBreaks(
    deps.db,
    input,
    findings.map((finding) => toBreak(finding, brokeAtMs, evidence)),
  );
}

/** Leg L2 of an account. `totals` is what the biller had been sent, by the hours where they were read. */
async function compareSummaries(
  deps: Deps,
  account: Account,
  of: { period: Period; row: RunAccount; quantities: MeterQuantities },
) {
  const findings = [];
  const evidence: string[] = [];
  const totals = { ...of.quantities };
  for (const meter of METERS) {
    const summary = of.row.summaries[meter];
    invariant(summary !== undefined, 'I6', `the summary of ${meter} for ${account.id} was never read`);
    if (summary === of.quantities[meter]) continue;
    const { own, billers } = await fetchHours(deps, account, { meter, period: of.period });
    totals[meter] = sumHours(billers);
    findings.push(
      ...compareTransmit({
        account: account.id,
        meter,
        price: account.terms.prices[meter],
        currency: account.currency,
        own,
        billers,
      }),
    );
    const hours = computeDifferingHours(own, billers).map((hour) => ({
      hour,
      own: (own.get(hour) ?? 0n).toString(),
      stripe: (billers.get(hour) ?? 0n).toString(),
    }));
    evidence.push(
      await insertEvidence(deps.db, 'differing-hours', { account: account.id, meter, period: of.period.key, hours }),
    );
  }
  return { findings, evidence, totals };
}

async function fetchHours(
  deps: Deps,
  account: Account,
  { meter, period }: { meter: MeterName; period: Period },
): Promise<{ own: HourQuantities; billers: HourQuantities }> {
  const ref = toSubscriptionRef(account);
  const [closed, billers] = await Promise.all([
    deps.usage.fetchClosedHours(period, account.id),
    deps.billing.fetchHourSummaries(ref, meter, period),
  ]);
  return { own: hoursOf(closed.filter((hour) => hour.meter === meter)), billers };
}

function toQuantities(of: (meter: MeterName) => bigint): MeterQuantities {
  return { actions: of('actions'), active_storage: of('active_storage'), retained_storage: of('retained_storage') };
}

/** Quantities as rated: rating writes at least one line per meter, so an absent meter is an error and not a zero. */
async function fetchRatedQuantities(deps: Deps, { run, account }: AccountInput): Promise<MeterQuantities> {
  const lines = await fetchRatedLines(deps.db, run, account);
  return toQuantities((meter) => {
    const own = lines.filter((line) => line.meter === meter);
    invariant(own.length > 0, 'I6', `account ${account} has no rated line for ${meter}`);
    return own.reduce((sum, line) => sum + line.quantity, 0n);
  });
}
