// What of Stripe's answers is kept as evidence. Whatever is not named here is never stored: no names, mail or addresses.

import type { Stripe } from 'stripe';
import type { Canonical } from '../../domain/canonical.ts';
import { idOf } from './stripe-call.ts';
import { CASE_KEY, PERIOD_KEY } from './stripe-metadata.ts';

/** An invoice with all that belongs to it; the embedded lists of Stripe's object are only first pages. */
export type WholeInvoice = {
  readonly invoice: Stripe.Invoice;
  readonly lines: readonly Stripe.InvoiceLineItem[];
  readonly payments: readonly Stripe.InvoicePayment[];
  readonly creditNotes: readonly Stripe.CreditNote[];
};

const OUR_KEYS = ['account', 'kind', 'meter', 'period', CASE_KEY, PERIOD_KEY];

export function toSnapshot({ invoice, lines, payments, creditNotes }: WholeInvoice): Canonical {
  return {
    id: invoice.id,
    number: invoice.number,
    status: invoice.status,
    billing_reason: invoice.billing_reason,
    customer: idOf(invoice.customer),
    subscription: idOf(invoice.parent?.subscription_details?.subscription),
    currency: invoice.currency,
    auto_advance: invoice.auto_advance ?? null,
    created: invoice.created,
    finalized_at: invoice.status_transitions.finalized_at,
    due_date: invoice.due_date,
    finalization_error: invoice.last_finalization_error?.code ?? null,
    period: { start: invoice.period_start, end: invoice.period_end },
    subtotal: String(invoice.subtotal),
    discounts: toAmounts(invoice.total_discount_amounts),
    pretax_credits: toAmounts(invoice.total_pretax_credit_amounts),
    taxes: toTaxes(invoice.total_taxes),
    total: String(invoice.total),
    amount_due: String(invoice.amount_due),
    amount_paid: String(invoice.amount_paid),
    amount_remaining: String(invoice.amount_remaining),
    amount_overpaid: String(invoice.amount_overpaid),
    metadata: ours(invoice.metadata),
    lines: lines.map(toLine),
    payments: payments.map(toPayment),
    credit_notes: creditNotes.map(toCreditNote),
  };
}

function toLine(line: Stripe.InvoiceLineItem): Canonical {
  return {
    id: line.id,
    amount: String(line.amount),
    currency: line.currency,
    quantity: line.quantity_decimal?.toString() ?? null,
    period: { start: line.period.start, end: line.period.end },
    price: idOf(line.pricing?.price_details?.price),
    unit_amount: line.pricing?.unit_amount_decimal?.toString() ?? null,
    discounts: toAmounts(line.discount_amounts),
    pretax_credits: toAmounts(line.pretax_credit_amounts),
    taxes: toTaxes(line.taxes),
    parent: line.parent?.type ?? null,
    subscription_item: line.parent?.subscription_item_details?.subscription_item ?? null,
    invoice_item: line.parent?.invoice_item_details?.invoice_item ?? null,
    metadata: ours(line.metadata),
  };
}

function toPayment(payment: Stripe.InvoicePayment): Canonical {
  return {
    id: payment.id,
    status: payment.status,
    type: payment.payment.type,
    amount_paid: payment.amount_paid === null ? null : String(payment.amount_paid),
    amount_requested: String(payment.amount_requested),
    paid_at: payment.status_transitions.paid_at,
  };
}

function toCreditNote(note: Stripe.CreditNote): Canonical {
  return {
    id: note.id,
    number: note.number,
    status: note.status,
    type: note.type,
    reason: note.reason,
    total: String(note.total),
    created: note.created,
    metadata: ours(note.metadata),
  };
}

type Amount = { readonly amount: number; readonly type?: string };
type Tax = Amount & { readonly tax_behavior: string; readonly taxable_amount: number | null };

function toAmounts(amounts: readonly Amount[] | null): Canonical {
  return (amounts ?? []).map(({ amount, type }) => ({ amount: String(amount), type: type ?? null }));
}

function toTaxes(taxes: readonly Tax[] | null): Canonical {
  return (taxes ?? []).map(({ amount, tax_behavior: behaviour, taxable_amount: of }) => ({
    amount: String(amount),
    behaviour,
    taxable: of === null ? null : String(of),
  }));
}

/** Others may write anything into metadata; ours is known. */
function ours(metadata: Stripe.Metadata | null): Canonical {
  return Object.fromEntries(OUR_KEYS.flatMap((key) => (metadata?.[key] === undefined ? [] : [[key, metadata[key]]])));
}
