// The biller of a measurement: the billing port over a stored snapshot in memory, so that what is measured is our own time
// and not Stripe's. It holds what a faultless biller would, but for the accounts that were told to differ.

import type { MeterName } from '../../domain/meter.ts';
import { METERS } from '../../domain/meter.ts';
import type { Period } from '../../domain/period.ts';
import { PLANS, type PlanId } from '../../domain/price-book.ts';
import { planFee, rateMeter, sumLines } from '../../domain/rating.ts';
import type { AccountBilling, BilledInvoice, BilledLine, Billing } from '../../reconcile/billing/port.ts';

export type SnapshotAccount = {
  readonly account: string;
  readonly planId: PlanId;
  readonly totals: Readonly<Record<MeterName, bigint>>;
  /** `summary`: the biller was sent a tenth less; `line`: it charges a tenth less than it was sent. */
  readonly differs: 'summary' | 'line' | null;
};

const subscriptionOf = (account: string) => `sub_${account}`;
const invoiceOf = (account: string) => `in_${account}`;

export type SnapshotBiller = { readonly billing: Billing; calls(): number };

export function createSnapshotBiller(accounts: readonly SnapshotAccount[], period: Period): SnapshotBiller {
  const byAccount = new Map(accounts.map((account) => [account.account, account]));
  const finalized = new Set<string>();
  let calls = 0;
  const find = (account: string): SnapshotAccount => {
    calls += 1;
    const found = byAccount.get(account);
    if (found === undefined) throw new Error(`the snapshot has no account ${account}`);
    return found;
  };
  const ofInvoice = (invoice: string) => find(invoice.slice('in_'.length));
  const refuse = async () => Promise.reject(new Error('a measurement repairs and sets up nothing'));
  const toInvoice = (account: SnapshotAccount) => invoiceFor(account, period, !finalized.has(account.account));
  const billing: Billing = {
    ensureMeters: refuse,
    ensureProducts: refuse,
    ensurePrice: refuse,
    ensureCustomer: refuse,
    ensureSubscription: refuse,
    ensureReductions: refuse,
    ensureGrant: refuse,
    changePrices: refuse,
    addItem: refuse,
    creditInvoice: refuse,
    voidInvoice: refuse,
    issueInvoice: refuse,
    markUncollectible: refuse,
    fetchItem: refuse,
    pushHours: async ({ account }) => void find(account),
    fetchSummary: async ({ account }, meter) => summaryOf(find(account), meter),
    fetchHourSummaries: async ({ account }, meter) => new Map([[period.startAtMs, summaryOf(find(account), meter)]]),
    claimCycleInvoices: async ({ account }) => [
      { id: invoiceOf(find(account).account), draft: !finalized.has(account) },
    ],
    ensurePlanFee: async ({ ref, amountMinor }) => (find(ref.account), amountMinor),
    ensureCommitment: async ({ ref, amountMinor }) => (find(ref.account), amountMinor),
    finalize: async (invoice) => void finalized.add(ofInvoice(invoice).account),
    fetchInvoice: async (invoice) => toInvoice(ofInvoice(invoice)),
    fetchAccountBilling: async ({ account, customer }) => billingOf(find(account), customer, toInvoice),
  };
  return { billing, calls: () => calls };
}

function billingOf(
  account: SnapshotAccount,
  customer: string,
  toInvoice: (account: SnapshotAccount) => BilledInvoice,
): AccountBilling {
  const items = METERS.map((meter) => ({
    id: `si_${account.account}_${meter}`,
    priceId: PLANS[account.planId].prices[meter].id,
  }));
  return {
    customer,
    currency: 'usd',
    subscriptions: [
      {
        id: subscriptionOf(account.account),
        status: 'active',
        billingMode: 'flexible',
        currency: 'usd',
        items,
        collectionPaused: false,
        canceledAtMs: null,
      },
    ],
    invoices: [toInvoice(account)],
  };
}

/** What differs at the biller differs in hours that an allowance does not swallow: a tenth of the total. */
function summaryOf({ totals, differs }: SnapshotAccount, meter: MeterName): bigint {
  return differs === 'summary' && meter === 'actions' ? totals[meter] - totals[meter] / 10n : totals[meter];
}

function invoiceFor(account: SnapshotAccount, period: Period, draft: boolean): BilledInvoice {
  const plan = PLANS[account.planId];
  const span = { startAtMs: period.startAtMs, endAtMs: period.endAtMs };
  const nothing = { discountMinor: 0n, creditMinor: 0n, taxMinor: 0n, caseId: null };
  const usage = METERS.flatMap((meter): BilledLine[] => {
    const price = plan.prices[meter];
    const sent = account.totals[meter];
    const quantity = account.differs === 'line' && meter === 'actions' ? sent - sent / 10n : sent;
    return rateMeter(price, quantity).map((line) => ({
      ...span,
      ...nothing,
      id: `il_${account.account}_${meter}_${line.tier}`,
      kind: 'usage',
      meter,
      priceId: price.id,
      itemId: `si_${account.account}_${meter}`,
      quantity: line.quantity,
      amountMinor: line.amountMinor,
    }));
  });
  const feeMinor = planFee(
    plan.fee,
    METERS.reduce((sum, meter) => sum + sumLines(rateMeter(plan.prices[meter], account.totals[meter])), 0n),
  );
  const fee: BilledLine[] =
    feeMinor === 0n
      ? []
      : [
          {
            ...span,
            ...nothing,
            id: `il_${account.account}_fee`,
            kind: 'plan_fee',
            meter: null,
            priceId: null,
            itemId: null,
            quantity: 1n,
            amountMinor: feeMinor,
          },
        ];
  const lines = [...usage, ...fee];
  const totalMinor = sumLines(lines);
  return {
    id: invoiceOf(account.account),
    number: draft ? null : `N-${account.account}`,
    status: draft ? 'draft' : 'open',
    billingReason: 'subscription_cycle',
    subscription: subscriptionOf(account.account),
    currency: 'usd',
    createdAtMs: period.endAtMs,
    finalizedAtMs: draft ? null : period.endAtMs,
    dueAtMs: null,
    caseId: null,
    finalizationError: null,
    subtotalMinor: totalMinor,
    discountMinor: 0n,
    creditMinor: 0n,
    taxMinor: 0n,
    totalMinor,
    amountDueMinor: totalMinor,
    amountPaidMinor: 0n,
    amountRemainingMinor: totalMinor,
    amountOverpaidMinor: 0n,
    lines,
    payments: [],
    creditNotes: [],
    snapshot: {
      id: invoiceOf(account.account),
      lines: lines.map(({ id, amountMinor }) => [id, amountMinor.toString()]),
    },
  };
}
