// What Stripe holds: invoices with every line, payment and credit note, and all of them for one customer and period.
// Reads only. Calls are few, because a close asks for every account: embedded first pages are used where they are whole,
// and credit notes are listed only where an invoice says that there are some.

import type { Stripe } from 'stripe';
import { DAY_MS, type Period } from '../../domain/period.ts';
import type {
  AccountBilling,
  BilledCreditNote,
  BilledInvoice,
  BilledPayment,
  BilledSubscription,
  BillingInvoices,
  CustomerRef,
  InvoiceStatus,
} from './port.ts';
import { fromSeconds, fromWireInteger, idOf, read, toSeconds } from './stripe-call.ts';
import type { Catalogue } from './stripe-catalogue.ts';
import { fromLine, onlyCredits, onlyExclusive, sumAmounts } from './stripe-lines.ts';
import { caseOf, PERIOD_KEY } from './stripe-metadata.ts';
import { toSnapshot, type WholeInvoice } from './stripe-snapshot.ts';

const MANY = { limit: 100 };
const AT_MOST = { limit: 10_000 };

/** An invoice of no period of its own belongs to the month that is being collected when it is made: grace, then late usage. */
const COLLECTED_FOR_MS = 3 * DAY_MS;

export function createBilled(
  stripe: Stripe,
  catalogue: Catalogue,
): Pick<BillingInvoices, 'fetchInvoice' | 'fetchAccountBilling'> {
  return {
    fetchInvoice: async (id) => {
      const invoice = await read(`invoice ${id}`, async () => stripe.invoices.retrieve(id, { expand: ['payments'] }));
      const notes = hasCreditNotes(invoice) ? await listCreditNotes(stripe, { invoice: id }) : [];
      return fromInvoice(await fetchWhole(stripe, invoice, notes), catalogue);
    },
    fetchAccountBilling: async (ref, period) => fetchAccountBilling({ stripe, catalogue }, ref, period),
  };
}

type Reading = { readonly stripe: Stripe; readonly catalogue: Catalogue };

async function fetchAccountBilling(reading: Reading, ref: CustomerRef, period: Period): Promise<AccountBilling> {
  const { stripe, catalogue } = reading;
  const { customer } = ref;
  const [subscriptions, listed] = await Promise.all([
    read(`subscriptions of ${ref.account}`, async () =>
      stripe.subscriptions.list({ customer, status: 'all', ...MANY }).autoPagingToArray(AT_MOST),
    ),
    read(`invoices of ${ref.account}`, async () =>
      stripe.invoices
        .list({ customer, created: { gte: toSeconds(period.startAtMs) }, expand: ['data.payments'], ...MANY })
        .autoPagingToArray(AT_MOST),
    ),
  ]);
  for (const { items } of subscriptions) for (const { price } of items.data) await catalogue.learnPrice(price);
  const notes = listed.some(hasCreditNotes) ? await listCreditNotes(stripe, { customer }) : [];
  const invoices: BilledInvoice[] = [];
  for (const invoice of listed) {
    const own = notes.filter((note) => idOf(note.invoice) === invoice.id);
    const whole = await fetchWhole(stripe, invoice, own);
    if (bearsOn(whole, period)) invoices.push(await fromInvoice(whole, catalogue));
  }
  return {
    customer,
    currency: subscriptions[0]?.currency ?? listed[0]?.currency ?? null,
    subscriptions: subscriptions.map(fromSubscription),
    invoices: invoices.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1)),
  };
}

/**
 * Every invoice bears on exactly one period, so that no break is told in two months: a cycle's on the period it ends,
 * one of ours on the period it says, any other on the period of its lines, or of its making where lines have no extent.
 */
export function bearsOn({ invoice, lines }: Pick<WholeInvoice, 'invoice' | 'lines'>, period: Period): boolean {
  const named = invoice.metadata?.[PERIOD_KEY];
  if (named !== undefined) return named === period.key;
  if (invoice.billing_reason === 'subscription_cycle') return fromSeconds(invoice.period_end) === period.endAtMs;
  const starts = lines.filter((line) => line.period.start < line.period.end).map((line) => line.period.start);
  const [first] = starts.sort((a, b) => a - b);
  const atMs = first === undefined ? fromSeconds(invoice.created) - COLLECTED_FOR_MS : fromSeconds(first);
  return atMs >= period.startAtMs && atMs < period.endAtMs;
}

function hasCreditNotes(invoice: Stripe.Invoice): boolean {
  return invoice.pre_payment_credit_notes_amount > 0 || invoice.post_payment_credit_notes_amount > 0;
}

async function listCreditNotes(
  stripe: Stripe,
  of: { readonly invoice: string } | { readonly customer: string },
): Promise<Stripe.CreditNote[]> {
  return read('credit notes', async () => stripe.creditNotes.list({ ...of, ...MANY }).autoPagingToArray(AT_MOST));
}

/** The embedded lists are first pages of ten; graduated prices make more lines than that. */
async function fetchWhole(
  stripe: Stripe,
  invoice: Stripe.Invoice,
  creditNotes: readonly Stripe.CreditNote[],
): Promise<WholeInvoice> {
  const { id, lines, payments } = invoice;
  const whole = !lines.has_more
    ? lines.data
    : await read(`lines of ${id}`, async () => stripe.invoices.listLineItems(id, MANY).autoPagingToArray(AT_MOST));
  const paid =
    payments?.has_more === false
      ? payments.data
      : await read(`payments of ${id}`, async () =>
          stripe.invoicePayments.list({ invoice: id, ...MANY }).autoPagingToArray(AT_MOST),
        );
  return { invoice, lines: whole, payments: paid, creditNotes };
}

async function fromInvoice(whole: WholeInvoice, catalogue: Catalogue): Promise<BilledInvoice> {
  const { invoice } = whole;
  const minor = (field: 'subtotal' | 'total' | 'amount_due' | 'amount_paid' | 'amount_remaining' | 'amount_overpaid') =>
    fromWireInteger(invoice[field], `${field} of ${invoice.id}`);
  const error = invoice.last_finalization_error;
  const lines = await Promise.all(whole.lines.map(async (line) => fromLine(line, catalogue)));
  return {
    id: invoice.id,
    number: invoice.number,
    status: fromStatus(invoice.status),
    billingReason: invoice.billing_reason ?? 'unknown',
    subscription: idOf(invoice.parent?.subscription_details?.subscription),
    currency: invoice.currency,
    createdAtMs: fromSeconds(invoice.created),
    finalizedAtMs: orNull(invoice.status_transitions.finalized_at),
    dueAtMs: orNull(invoice.due_date),
    caseId: caseOf(invoice.metadata),
    finalizationError: error === null ? null : (error.code ?? error.type),
    subtotalMinor: minor('subtotal'),
    discountMinor: sumAmounts(invoice.total_discount_amounts, `discounts of ${invoice.id}`),
    creditMinor: sumAmounts(onlyCredits(invoice.total_pretax_credit_amounts), `credits of ${invoice.id}`),
    taxMinor: sumAmounts(onlyExclusive(invoice.total_taxes), `tax of ${invoice.id}`),
    totalMinor: minor('total'),
    amountDueMinor: minor('amount_due'),
    amountPaidMinor: minor('amount_paid'),
    amountRemainingMinor: minor('amount_remaining'),
    amountOverpaidMinor: minor('amount_overpaid'),
    lines,
    payments: whole.payments.map(fromPayment),
    creditNotes: whole.creditNotes.map(fromCreditNote),
    snapshot: toSnapshot(whole),
  };
}

function orNull(seconds: number | null): number | null {
  return seconds === null ? null : fromSeconds(seconds);
}

const STATUSES: readonly InvoiceStatus[] = ['draft', 'open', 'paid', 'void', 'uncollectible'];

function fromStatus(status: string | null): InvoiceStatus {
  return STATUSES.find((known) => known === status) ?? 'unknown';
}

function fromPayment(payment: Stripe.InvoicePayment): BilledPayment {
  const status = payment.status === 'paid' || payment.status === 'canceled' ? payment.status : 'open';
  return {
    id: payment.id,
    status,
    amountMinor: fromWireInteger(payment.amount_paid ?? payment.amount_requested, `payment ${payment.id}`),
    // Money that Stripe did not move stands in its books as a payment record.
    outOfBand: payment.payment.type === 'payment_record',
    paidAtMs: orNull(payment.status_transitions.paid_at),
  };
}

const NOTE_KINDS: readonly BilledCreditNote['kind'][] = ['pre_payment', 'post_payment', 'mixed'];

function fromCreditNote(note: Stripe.CreditNote): BilledCreditNote {
  return {
    id: note.id,
    number: note.number,
    status: note.status === 'void' ? 'void' : 'issued',
    kind: NOTE_KINDS.find((kind) => kind === note.type) ?? 'mixed',
    amountMinor: fromWireInteger(note.total, `credit note ${note.id}`),
    caseId: caseOf(note.metadata),
    createdAtMs: fromSeconds(note.created),
  };
}

/** The billing mode is data here: a subscription somebody made in classic mode is a finding, not a failure of the read. */
function fromSubscription(subscription: Stripe.Subscription): BilledSubscription {
  return {
    id: subscription.id,
    status: subscription.status,
    billingMode: subscription.billing_mode.type === 'flexible' ? 'flexible' : 'classic',
    currency: subscription.currency,
    items: subscription.items.data.map(({ id, price }) => ({ id, priceId: price.lookup_key ?? price.id })),
    collectionPaused: subscription.pause_collection !== null,
    canceledAtMs: orNull(subscription.canceled_at),
  };
}
