// Cycle invoices of Stripe: claimed as drafts, given plan fee and commitment, finalized by us alone.
// An invoice's own period is the window in which items were collected; what a line charges for is the line's period.

import type { Stripe } from 'stripe';
import type { Period } from '../../domain/period.ts';
import type { AgreedItem, BillingInvoices, CycleInvoice, SubscriptionRef } from './port.ts';
import { fromSeconds, fromWireInteger, read, toSeconds, toWireInteger, writeOnce } from './stripe-call.ts';
import { COMMITMENT_KIND, FEE_KIND } from './stripe-metadata.ts';

export function createInvoices(
  stripe: Stripe,
): Pick<BillingInvoices, 'claimCycleInvoices' | 'ensurePlanFee' | 'ensureCommitment' | 'finalize'> {
  return {
    claimCycleInvoices: async (ref, period) => claim(stripe, ref, period),
    ensurePlanFee: async (fee) => ensureItem(stripe, PLAN_FEE, fee),
    ensureCommitment: async (commitment) => ensureItem(stripe, COMMITMENT, commitment),
    finalize: async (invoice) => {
      await writeOnce({
        what: `finalize invoice ${invoice}`,
        key: `finalize-${invoice}`,
        look: async () => {
          const found = await stripe.invoices.retrieve(invoice);
          return found.status === 'draft' ? undefined : found.id;
        },
        send: async (options) => (await stripe.invoices.finalizeInvoice(invoice, { auto_advance: false }, options)).id,
      });
    },
  };
}

async function claim(stripe: Stripe, ref: SubscriptionRef, period: Period): Promise<CycleInvoice[]> {
  const what = `cycle invoices of ${ref.account}`;
  const created = { gte: toSeconds(period.endAtMs) };
  const listed = await read(what, async () =>
    stripe.invoices
      .list({ customer: ref.customer, subscription: ref.subscription, created, limit: 100 })
      .autoPagingToArray({ limit: 1000 }),
  );
  // The older first, so that of two drafts the one that stands gets the plan fee, whichever was listed first.
  const cycle = listed
    .filter(
      (invoice) =>
        invoice.billing_reason === 'subscription_cycle' && fromSeconds(invoice.period_end) === period.endAtMs,
    )
    .sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));
  const claimed: CycleInvoice[] = [];
  for (const invoice of cycle) {
    if (invoice.status === 'void') continue;
    if (invoice.status === 'draft' && invoice.auto_advance !== false) {
      await writeOnce({
        what: `claim invoice ${invoice.id}`,
        key: `claim-${invoice.id}`,
        look: async () => {
          const found = await stripe.invoices.retrieve(invoice.id);
          return found.status !== 'draft' || found.auto_advance === false ? found.id : undefined;
        },
        send: async (options) => (await stripe.invoices.update(invoice.id, { auto_advance: false }, options)).id,
      });
    }
    claimed.push({ id: invoice.id, draft: invoice.status === 'draft' });
  }
  return claimed;
}

type ItemKind = {
  readonly kind: string;
  readonly keyed: string;
  readonly name: string;
  readonly discountable: boolean;
};

const PLAN_FEE: ItemKind = { kind: FEE_KIND, keyed: 'fee', name: 'Plan fee', discountable: true };
const COMMITMENT: ItemKind = { kind: COMMITMENT_KIND, keyed: 'commitment', name: 'Commitment', discountable: false };

/** Found again by its kind, so that one draft holds one of each. */
async function ensureItem(stripe: Stripe, { kind, keyed, name, discountable }: ItemKind, of: AgreedItem) {
  const { account, customer } = of.ref;
  const what = `${name.toLowerCase()} of ${account} for ${of.period.key}`;
  const item = await writeOnce({
    what,
    key: `${keyed}-${account}-${of.period.key}`,
    look: async () => {
      const items = await stripe.invoiceItems
        .list({ invoice: of.invoice, limit: 100 })
        .autoPagingToArray({ limit: 1000 });
      return items.find(({ metadata }) => metadata?.['kind'] === kind);
    },
    send: async (options) =>
      stripe.invoiceItems.create(
        {
          customer,
          invoice: of.invoice,
          amount: toWireInteger(of.amountMinor, what),
          currency: of.currency,
          description: `${name} ${of.period.key}`,
          ...(discountable ? {} : { discountable }),
          period: { start: toSeconds(of.period.startAtMs), end: toSeconds(of.period.endAtMs) },
          metadata: { account, period: of.period.key, kind },
        },
        options,
      ),
  });
  return fromWireInteger(item.amount, what);
}
