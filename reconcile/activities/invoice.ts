// Activities that turn an account's usage into an invoice: bill and compare. Both read what they need afresh, so either may be
// repeated on another worker at any time.

import { TrueupError } from '../../domain/contracts/errors.ts';
import type { CreditUse } from '../../domain/credits.ts';
import type { Period } from '../../domain/period.ts';
import { computeGrantUse } from '../../domain/rating-invoice.ts';
import { sumLines } from '../../domain/rating.ts';
import type { AccountInput, Activities } from '../activity-types.ts';
import { computeGate } from '../gate.ts';
import { formatHold } from '../holds/compute.ts';
import { updateRunAccount } from '../store/runs.ts';
import { forEachMember } from './batch.ts';
import { compareBilledAccount } from './compare.ts';
import { fetchBilledAccount, periodOfRun, rowsOf, toSubscriptionRef, type Deps } from './deps.ts';
import { fetchAccountHolds } from './holds.ts';
import { fetchAgreedUsage, fetchRatedQuantities } from './quantities.ts';

type InvoiceActivities = Pick<Activities, 'billAccounts' | 'compareAccounts'>;

export function createInvoiceActivities(deps: Deps): InvoiceActivities {
  return {
    billAccounts: async (batch) => forEachMember(deps, batch, async (input, own) => billAccount(own, input)),
    compareAccounts: async (batch) =>
      forEachMember(deps, batch, async (input, own) => compareBilledAccount(own, input)),
  };
}

/** Fee and commitment on the draft, gate, finalize. What holds an invoice back is recorded; it stays a claimed draft. */
async function billAccount(deps: Deps, input: AccountInput): Promise<void> {
  const account = await fetchBilledAccount(deps, input);
  const ref = toSubscriptionRef(account);
  const period = periodOfRun(input);
  const invoices = await deps.billing.claimCycleInvoices(ref, period);
  await updateRunAccount(deps.db, input, { invoices: JSON.stringify(invoices), reasons: '[]' });
  if (invoices.length === 0) return;
  const { commitmentMinor, creditUse } = await fetchAgreedBesides(deps, account.id, period);
  const draft = invoices.find((invoice) => invoice.draft);
  if (draft === undefined) {
    // Finalized by an attempt that died right after, or by somebody else: its credit is used all the same.
    await recordCreditUse(deps, input, creditUse);
    return;
  }

  const row = await rowsOf(deps).fetchRunAccount(input);
  const feeMinor = row.rated?.feeMinor ?? null;
  const on = { ref, invoice: draft.id, period, currency: account.currency };
  const feeOnDraftMinor =
    feeMinor === null || feeMinor === 0n
      ? feeMinor
      : await deps.billing.ensurePlanFee({ ...on, amountMinor: feeMinor });
  const commitmentOnDraftMinor =
    commitmentMinor === 0n ? 0n : await deps.billing.ensureCommitment({ ...on, amountMinor: commitmentMinor });
  const holds = await fetchAccountHolds(deps, account.id, 'finalization');
  const decision = computeGate({
    rated: row.rated === null ? null : await fetchRatedQuantities(deps, input),
    summaries: row.summaries,
    feeMinor,
    feeOnDraftMinor,
    commitmentMinor,
    commitmentOnDraftMinor,
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
  await recordCreditUse(deps, input, creditUse);
}

type AgreedBesides = {
  readonly commitmentMinor: bigint;
  /** Null without a grant that could pay. */
  readonly creditUse: CreditUse['perGrant'] | null;
};

/** What the agreement holds besides usage and fee. Most hold nothing, and their usage is not read once more. */
async function fetchAgreedBesides(deps: Deps, account: string, period: Period): Promise<AgreedBesides> {
  const { commitmentMinor, grants } = await deps.accounts.fetchAgreement(account, period);
  if (commitmentMinor === null && grants.length === 0) return { commitmentMinor: 0n, creditUse: null };
  const { expected } = await fetchAgreedUsage(deps, account, period);
  return {
    commitmentMinor: sumLines(expected.lines.filter(({ kind }) => kind === 'commitment')),
    creditUse: grants.length === 0 ? null : computeGrantUse(expected, grants),
  };
}

/** Absolute per period, so that billing again replaces it; the next period starts from what it leaves. */
async function recordCreditUse(deps: Deps, input: AccountInput, use: AgreedBesides['creditUse']): Promise<void> {
  if (use !== null) await deps.accounts.recordCreditUse(input.account, periodOfRun(input), use);
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
