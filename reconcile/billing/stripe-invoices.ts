// Cycle invoices of Stripe: claimed as drafts, given the plan fee, finalized by us alone.
// An invoice's own period is the window in which items were collected; what a line charges for is the line's period.

import type { Stripe } from 'stripe';
import type { Period } from '../../domain/period.ts';
import type { BillingInvoices, CycleInvoice, PlanFee, SubscriptionRef } from './port.ts';
import { fromSeconds, fromWireInteger, read, toSeconds, toWireInteger, writeOnce } from './stripe-call.ts';
import { FEE_KIND } from './stripe-metadata.ts';

export function createInvoices(
  stripe: Stripe,
): Pick<BillingInvoices, 'claimCycleInvoices' | 'ensurePlanFee' | 'finalize'> {
  return {
    claimCycleInvoices: async (ref, period) => claim(stripe, ref, period),
    ensurePlanFee: async (fee) => ensurePlanFee(stripe, fee),
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

async function ensurePlanFee(stripe: Stripe, fee: PlanFee): Promise<bigint> {
  const { account, customer } = fee.ref;
  const what = `plan fee of ${account} for ${fee.period.key}`;
  const item = await writeOnce({
    what,
    key: `fee-${account}-${fee.period.key}`,
    look: async () => {
      const items = await stripe.invoiceItems
        .list({ invoice: fee.invoice, limit: 100 })
        .autoPagingToArray({ limit: 1000 });
      return items.find((candidate) => isFee(candidate.metadata));
    },
    send: async (options) =>
      stripe.invoiceItems.create(
        {
          customer,
          invoice: fee.invoice,
          amount: toWireInteger(fee.amountMinor, what),
          currency: fee.currency,
          description: `Plan fee ${fee.period.key}`,
          period: { start: toSeconds(fee.period.startAtMs), end: toSeconds(fee.period.endAtMs) },
          metadata: { account, period: fee.period.key, kind: FEE_KIND },
        },
        options,
      ),
  });
  return fromWireInteger(item.amount, what);
}

function isFee(metadata: Stripe.Metadata | null): boolean {
  return metadata?.['kind'] === FEE_KIND;
}
