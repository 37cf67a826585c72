// Invoices of Stripe: claimed as drafts, finalized by us alone, read back with every line.
// An invoice's own period is the window in which items were collected; what a line charges for is the line's period.

import type { Stripe } from 'stripe';
import type { Canonical } from '../../domain/canonical.ts';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { parseWhole } from '../../domain/decimal.ts';
import type { Period } from '../../domain/period.ts';
import type { BilledInvoice, BilledLine, BillingInvoices, CycleInvoice, PlanFee, SubscriptionRef } from './port.ts';
import { fromSeconds, fromWireInteger, idOf, read, toSeconds, toWireInteger, writeOnce } from './stripe-call.ts';
import type { Catalogue } from './stripe-catalogue.ts';

const FEE_KIND = 'plan_fee';

export function createInvoices(stripe: Stripe, catalogue: Catalogue): BillingInvoices {
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
    fetchInvoice: async (id) => {
      const what = `invoice ${id}`;
      const invoice = await read(what, async () => stripe.invoices.retrieve(id));
      // The embedded list is a first page of ten; graduated prices make more lines than that.
      const lines = await read(what, async () =>
        stripe.invoices.listLineItems(id, { limit: 100 }).autoPagingToArray({ limit: 10_000 }),
      );
      return fromInvoice(invoice, lines, catalogue);
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
  const cycle = listed.filter(
    (invoice) => invoice.billing_reason === 'subscription_cycle' && fromSeconds(invoice.period_end) === period.endAtMs,
  );
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

/** Line periods are documented as inclusive at both ends, while cycles are half-open: 23:59:59 means the next instant. */
export function toHalfOpenEnd(endSeconds: number): number {
  return fromSeconds(endSeconds % 60 === 59 ? endSeconds + 1 : endSeconds);
}

async function fromInvoice(
  invoice: Stripe.Invoice,
  lines: readonly Stripe.InvoiceLineItem[],
  catalogue: Catalogue,
): Promise<BilledInvoice> {
  const billed: BilledLine[] = [];
  for (const line of lines) billed.push(await fromLine(line, catalogue));
  return {
    id: invoice.id,
    number: invoice.number,
    status: invoice.status ?? 'unknown',
    currency: invoice.currency,
    totalMinor: fromWireInteger(invoice.total, `total of ${invoice.id}`),
    lines: billed,
    snapshot: toSnapshot(invoice, lines),
  };
}

async function fromLine(line: Stripe.InvoiceLineItem, catalogue: Catalogue): Promise<BilledLine> {
  const priceId = idOf(line.pricing?.price_details?.price);
  const metered = line.parent?.type === 'subscription_item_details' && priceId !== null;
  const facts = metered ? await catalogue.priceFacts(priceId) : { lookupKey: null, meter: null };
  return {
    meter: facts.meter,
    // A price without a lookup key is not one of ours; its own id says so on the report.
    priceId: metered ? (facts.lookupKey ?? priceId) : null,
    startAtMs: fromSeconds(line.period.start),
    endAtMs: toHalfOpenEnd(line.period.end),
    quantity: parseQuantity(line),
    amountMinor: fromWireInteger(line.amount, `amount of line ${line.id}`),
    planFee: !metered && isFee(line.metadata),
  };
}

/** `quantity` is truncated by Stripe; the decimal is authoritative. Our meters count whole units only. */
function parseQuantity(line: Stripe.InvoiceLineItem): bigint {
  const text = line.quantity_decimal?.toString() ?? String(line.quantity ?? 1);
  try {
    return parseWhole(text);
  } catch (cause) {
    throw new TrueupError({
      kind: 'bug',
      code: 'STRIPE_UNEXPECTED',
      message: `line ${line.id} has the quantity ${text}; our meters count whole units`,
      cause,
    });
  }
}

/** The fields that are kept as evidence; whatever is not named here is never stored. */
function toSnapshot(invoice: Stripe.Invoice, lines: readonly Stripe.InvoiceLineItem[]): Canonical {
  return {
    id: invoice.id,
    number: invoice.number,
    status: invoice.status,
    billing_reason: invoice.billing_reason,
    customer: idOf(invoice.customer),
    currency: invoice.currency,
    auto_advance: invoice.auto_advance ?? null,
    period: { start: invoice.period_start, end: invoice.period_end },
    subtotal: String(invoice.subtotal),
    total: String(invoice.total),
    lines: lines.map((line) => ({
      id: line.id,
      amount: String(line.amount),
      currency: line.currency,
      quantity: line.quantity_decimal?.toString() ?? null,
      period: { start: line.period.start, end: line.period.end },
      price: idOf(line.pricing?.price_details?.price),
      unit_amount: line.pricing?.unit_amount_decimal?.toString() ?? null,
      parent: line.parent?.type ?? null,
      subscription_item: idOf(line.parent?.subscription_item_details?.subscription_item),
      invoice_item: idOf(line.parent?.invoice_item_details?.invoice_item),
      kind: line.metadata['kind'] ?? null,
    })),
  };
}
