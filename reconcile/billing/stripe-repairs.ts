// Corrections at Stripe: items, credit notes, voids, re-issues, write-offs. Each is found again by the repair in its
// metadata, whatever the idempotency key has forgotten (it protects for a day), so a repeat after any death changes nothing
// more. An effect that is found with other money than asked for is refused: one repair stands for one correction.

import type { Stripe } from 'stripe';
import { TrueupError } from '../../domain/contracts/errors.ts';
import type { BillingRepairs, RepairCredit, RepairInvoice, RepairItem } from './port.ts';
import { fromWireInteger, idOf, read, toSeconds, toWireInteger, writeOnce } from './stripe-call.ts';
import { caseMetadata, caseOf, CASE_KEY, repairOf } from './stripe-metadata.ts';

const MANY = { limit: 100 };
const AT_MOST = { limit: 10_000 };
const DAYS_UNTIL_DUE = 30;

export function createRepairs(stripe: Stripe): BillingRepairs {
  return {
    addItem: async (item) => addItem(stripe, item, 'item'),
    creditInvoice: async (credit) => creditInvoice(stripe, credit),
    issueInvoice: async (issue) => issueInvoice(stripe, issue),
    fetchItem: async (id) => {
      const item = await read(`item ${id}`, async () => stripe.invoiceItems.retrieve(id));
      return {
        amountMinor: fromWireInteger(item.amount, `item ${id}`),
        caseId: caseOf(item.metadata),
        invoice: idOf(item.invoice),
      };
    },
    voidInvoice: async (invoice, caseId) => {
      await mark(stripe, invoice, caseId);
      await leave(stripe, invoice, 'void');
    },
    markUncollectible: async (invoice, caseId) => {
      await mark(stripe, invoice, caseId);
      await leave(stripe, invoice, 'uncollectible');
    },
  };
}

/** `slot` tells the items of one case apart. */
async function addItem(stripe: Stripe, item: RepairItem, slot: string): Promise<string> {
  const { account, customer } = item.ref;
  const what = `${slot} for case ${item.caseId} of ${account}`;
  const place = `${slot}-${item.meter ?? 'none'}`;
  const made = await writeOnce({
    what,
    key: `${item.repair}-${place}`,
    // By customer: what was put aside for the next invoice stands on one by now, maybe.
    look: async () => {
      const items = await stripe.invoiceItems.list({ customer, ...MANY }).autoPagingToArray(AT_MOST);
      return items.find(({ metadata }) => repairOf(metadata) === item.repair && metadata?.['slot'] === place);
    },
    send: async (options) =>
      stripe.invoiceItems.create(
        {
          customer,
          ...(item.invoice === null ? {} : { invoice: item.invoice }),
          amount: toWireInteger(item.amountMinor, what),
          currency: item.currency,
          description: item.description,
          // Its amount was approved as it is: no coupon touches it.
          discountable: false,
          period: { start: toSeconds(item.period.startAtMs), end: toSeconds(item.period.endAtMs) },
          metadata: {
            ...caseMetadata(item),
            account,
            period: item.period.key,
            kind: 'repair',
            slot: place,
            ...(item.meter === null ? {} : { meter: item.meter }),
          },
        },
        options,
      ),
  });
  requireSame(what, fromWireInteger(made.amount, what), item.amountMinor);
  return made.id;
}

async function creditInvoice(stripe: Stripe, credit: RepairCredit): Promise<string> {
  const what = `credit note for case ${credit.caseId}`;
  const note = await writeOnce({
    what,
    key: `${credit.repair}-credit-${credit.invoice}`,
    look: async () => {
      const notes = await stripe.creditNotes.list({ invoice: credit.invoice, ...MANY }).autoPagingToArray(AT_MOST);
      return notes.find(({ metadata, status }) => status !== 'void' && repairOf(metadata) === credit.repair);
    },
    send: async (options) => {
      const { amount_remaining: remaining } = await stripe.invoices.retrieve(credit.invoice);
      return stripe.creditNotes.create(
        {
          invoice: credit.invoice,
          amount: toWireInteger(credit.amountMinor, what),
          reason: 'order_change',
          metadata: caseMetadata(credit),
          ...toSettlement(credit, fromWireInteger(remaining, what)),
        },
        options,
      );
    },
  });
  requireSame(what, fromWireInteger(note.total, what), credit.amountMinor);
  return note.id;
}

/** What is not owed any more was paid: that part goes back, and Stripe wants to be told how. */
function toSettlement(
  { amountMinor, settle }: RepairCredit,
  remainingMinor: bigint,
): Partial<Stripe.CreditNoteCreateParams> {
  if (amountMinor <= remainingMinor) return {};
  const back = toWireInteger(amountMinor - remainingMinor, 'amount to give back');
  if (settle === 'balance') return { credit_amount: back };
  return settle === 'refund' ? { refund_amount: back } : { out_of_band_amount: back };
}

/** Three steps of which each looks first: a draft that carries the case, its items, finalization. */
async function issueInvoice(stripe: Stripe, issue: RepairInvoice): Promise<string> {
  const { account, customer } = issue.ref;
  const what = `invoice for case ${issue.caseId} of ${account}`;
  const invoice = await writeOnce({
    what,
    key: `${issue.repair}-issue`,
    look: async () => {
      const invoices = await stripe.invoices.list({ customer, ...MANY }).autoPagingToArray(AT_MOST);
      return invoices.find(
        ({ id, metadata, status }) =>
          id !== issue.replaces &&
          status !== 'void' &&
          repairOf(metadata) === issue.repair &&
          metadata?.['kind'] === 'reissue',
      );
    },
    send: async (options) =>
      stripe.invoices.create(
        {
          customer,
          auto_advance: false,
          collection_method: 'send_invoice',
          days_until_due: DAYS_UNTIL_DUE,
          currency: issue.currency,
          pending_invoice_items_behavior: 'exclude',
          metadata: {
            ...caseMetadata(issue, issue.period),
            account,
            kind: 'reissue',
            ...(issue.replaces === null ? {} : { replaces: issue.replaces }),
          },
        },
        options,
      ),
  });
  if (invoice.status !== 'draft') return invoice.id;
  for (const [index, line] of issue.items.entries()) {
    const { ref, period, currency, caseId, repair } = issue;
    await addItem(stripe, { ...line, ref, period, currency, caseId, repair, invoice: invoice.id }, `line-${index}`);
  }
  await writeOnce({
    what: `finalize ${what}`,
    key: `finalize-${invoice.id}`,
    look: async () => {
      const found = await stripe.invoices.retrieve(invoice.id);
      return found.status === 'draft' ? undefined : found.id;
    },
    send: async (options) => (await stripe.invoices.finalizeInvoice(invoice.id, { auto_advance: false }, options)).id,
  });
  return invoice.id;
}

/** Before the invoice leaves its state, so that a death in between leaves a mark and not a riddle. */
async function mark(stripe: Stripe, invoice: string, caseId: string): Promise<void> {
  await writeOnce({
    what: `case ${caseId} on invoice ${invoice}`,
    key: `repair-${caseId}-mark-${invoice}`,
    look: async () => {
      const found = await stripe.invoices.retrieve(invoice);
      return caseOf(found.metadata) === caseId ? found.id : undefined;
    },
    send: async (options) => (await stripe.invoices.update(invoice, { metadata: { [CASE_KEY]: caseId } }, options)).id,
  });
}

async function leave(stripe: Stripe, invoice: string, status: 'void' | 'uncollectible'): Promise<void> {
  await writeOnce({
    what: `${status} invoice ${invoice}`,
    key: `repair-${status}-${invoice}`,
    look: async () => {
      const found = await stripe.invoices.retrieve(invoice);
      return found.status === status ? found.id : undefined;
    },
    send: async (options) => {
      const left =
        status === 'void'
          ? await stripe.invoices.voidInvoice(invoice, {}, options)
          : await stripe.invoices.markUncollectible(invoice, {}, options);
      return left.id;
    },
  });
}

function requireSame(what: string, foundMinor: bigint, askedMinor: bigint): void {
  if (foundMinor === askedMinor) return;
  throw new TrueupError({
    kind: 'conflict',
    code: 'STRIPE_IDEMPOTENCY',
    message: `${what} stands at Stripe with ${foundMinor} minor units, asked for are ${askedMinor}`,
    next: 'plan another repair for a further correction',
  });
}
