// Activities that turn an account's usage into an invoice: bill and compare. Both read what they need afresh, so either may be
// repeated on another worker at any time.

import type { Account } from '../../accounts/door.ts';
import { invariant } from '../../domain/contracts/errors.ts';
import { WAITS } from '../../domain/contracts/waits.ts';
import { METERS } from '../../domain/meter.ts';
import type { Period } from '../../domain/period.ts';
import type { MeterQuantities } from '../../domain/rating.ts';
import type { AccountInput, Activities } from '../activity-types.ts';
import { toBreak } from '../compare/break.ts';
import { compareCoverage } from '../compare/coverage.ts';
import { compareInvoice } from '../compare/invoice.ts';
import { compareTransmit, computeDifferingHours, sumHours } from '../compare/transmit.ts';
import { computeGate } from '../gate.ts';
import { replaceAccountBreaks } from '../store/breaks.ts';
import { fetchBatch, fetchRunAccount, insertEvidence, updateRunAccount, type RunAccount } from '../store/runs.ts';
import { fetchBilledAccount, periodOfRun, toSubscriptionRef, type Deps } from './deps.ts';
import { fetchHours, fetchRatedQuantities } from './quantities.ts';

type InvoiceActivities = Pick<Activities, 'fetchMembers' | 'billAccount' | 'compareAccount' | 'failAccount'>;

export function createInvoiceActivities(deps: Deps): InvoiceActivities {
  return {
    fetchMembers: async ({ run, batch }) => fetchBatch(deps.db, run, batch),
    billAccount: async (input) => billAccount(deps, input),
    compareAccount: async (input) => compareAccount(deps, input),
    failAccount: async (input) => {
      await updateRunAccount(deps.db, input, { state: 'failed', reasons: JSON.stringify([input.code]) });
      deps.log.error({ run: input.run, account: input.account, code: input.code }, 'account not billed');
    },
  };
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
