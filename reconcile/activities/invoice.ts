// Activities that turn an account's usage into an invoice: bill and compare. Both read what they need afresh, so either may be
// repeated on another worker at any time.

import { TrueupError } from '../../domain/contracts/errors.ts';
import type { AccountInput, Activities } from '../activity-types.ts';
import { computeGate } from '../gate.ts';
import { formatHold } from '../holds/compute.ts';
import { fetchRunAccount, updateRunAccount } from '../store/runs.ts';
import { forEachMember } from './batch.ts';
import { compareBilledAccount } from './compare.ts';
import { fetchBilledAccount, periodOfRun, toSubscriptionRef, type Deps } from './deps.ts';
import { fetchAccountHolds } from './holds.ts';
import { fetchRatedQuantities } from './quantities.ts';

type InvoiceActivities = Pick<Activities, 'billAccounts' | 'compareAccounts'>;

export function createInvoiceActivities(deps: Deps): InvoiceActivities {
  return {
    billAccounts: async (batch) => forEachMember(deps, batch, async (input) => billAccount(deps, input)),
    compareAccounts: async (batch) => forEachMember(deps, batch, async (input) => compareBilledAccount(deps, input)),
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
  const holds = await fetchAccountHolds(deps, account.id, 'finalization');
  const decision = computeGate({
    rated: row.rated === null ? null : await fetchRatedQuantities(deps, input),
    summaries: row.summaries,
    feeMinor,
    feeOnDraftMinor,
    invoices: invoices.length,
    onHold: holds.length > 0,
  });
  if (!decision.pass) {
    // A hold is told with who holds it and why.
    const reasons = decision.reasons.flatMap((reason) => (reason === 'ON_HOLD' ? holds.map(formatHold) : [reason]));
    await updateRunAccount(deps.db, input, { reasons: JSON.stringify(reasons) });
    deps.log.warn({ run: input.run, account: account.id, reasons }, 'invoice held');
    return;
  }
  if (!(await finalize(deps, input, draft.id))) return;
  const finalized = invoices.map((invoice) => (invoice.id === draft.id ? { ...invoice, draft: false } : invoice));
  await updateRunAccount(deps.db, input, { invoices: JSON.stringify(finalized) });
}

/** A refusal fails nobody's account: the draft keeps the biller's reason, which the comparison then names. */
async function finalize({ billing, log }: Deps, { run, account }: AccountInput, invoice: string): Promise<boolean> {
  try {
    await billing.finalize(invoice);
    return true;
  } catch (error) {
    if (!(error instanceof TrueupError) || error.kind !== 'rejected') throw error;
    log.warn({ run, account, invoice, code: error.code, error: error.message }, 'finalization refused');
    return false;
  }
}
