// Lines of Stripe's invoices in our nouns: where each came from, what it charges for, and what is taken off or put on top.
// The decimals may come as the SDK's Decimal or, from webhooks and stored events, as text: both are read as text.

import type { Stripe } from 'stripe';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { parseWhole } from '../../domain/decimal.ts';
import { METERS } from '../../domain/meter.ts';
import type { BilledLine, LineKind } from './port.ts';
import { fromSeconds, fromWireInteger, idOf } from './stripe-call.ts';
import type { Catalogue, PriceFacts } from './stripe-catalogue.ts';
import { CASE_KEY, FEE_KIND } from './stripe-metadata.ts';

const NO_PRICE: PriceFacts = { lookupKey: null, meter: null, metered: false };

export async function fromLine(line: Stripe.InvoiceLineItem, catalogue: Catalogue): Promise<BilledLine> {
  const price = idOf(line.pricing?.price_details?.price);
  const facts = price === null ? NO_PRICE : await catalogue.priceFacts(price);
  const kind = kindOf(line, facts);
  return {
    id: line.id,
    kind,
    meter: facts.meter ?? METERS.find((meter) => meter === line.metadata['meter']) ?? null,
    // A price without a lookup key is not one of ours; its own id says so on the report. One-off amounts have prices that
    // Stripe makes up for them.
    priceId: kind === 'usage' || kind === 'proration' ? (facts.lookupKey ?? price) : facts.lookupKey,
    itemId: line.parent?.subscription_item_details?.subscription_item ?? null,
    caseId: line.metadata[CASE_KEY] ?? null,
    startAtMs: fromSeconds(line.period.start),
    endAtMs: toHalfOpenEnd(line.period.end),
    quantity: parseQuantity(line),
    amountMinor: fromWireInteger(line.amount, `amount of line ${line.id}`),
    discountMinor: sumAmounts(line.discount_amounts, `discount of line ${line.id}`),
    creditMinor: sumAmounts(onlyCredits(line.pretax_credit_amounts), `credit of line ${line.id}`),
    taxMinor: sumAmounts(onlyExclusive(line.taxes), `tax of line ${line.id}`),
  };
}

/**
 * In flexible mode the usage before a price change becomes an invoice item of the old price, and Stripe does not always
 * flag it as a proration: a metered price on an invoice item can come from nowhere else.
 */
function kindOf(line: Stripe.InvoiceLineItem, facts: PriceFacts): LineKind {
  if (line.metadata[CASE_KEY] !== undefined) return 'repair';
  if (line.metadata['kind'] === FEE_KIND) return 'plan_fee';
  const ofSubscription = line.parent?.subscription_item_details;
  const ofItem = line.parent?.invoice_item_details;
  if (ofSubscription?.proration === true || ofItem?.proration === true) return 'proration';
  if (!facts.metered) return 'other';
  return line.parent?.type === 'subscription_item_details' && ofSubscription?.invoice_item == null
    ? 'usage'
    : 'proration';
}

/** Line periods are documented as inclusive at both ends, while cycles are half-open: 23:59:59 means the next instant. */
export function toHalfOpenEnd(endSeconds: number): number {
  return fromSeconds(endSeconds % 60 === 59 ? endSeconds + 1 : endSeconds);
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

type Amount = { readonly amount: number };

export function sumAmounts(amounts: readonly Amount[] | null, what: string): bigint {
  return (amounts ?? []).reduce((sum, { amount }) => sum + fromWireInteger(amount, what), 0n);
}

/** Discounts stand among the pretax credits too; counted there they would be taken off twice. */
export function onlyCredits<T extends { readonly type: string }>(amounts: readonly T[] | null): T[] {
  return (amounts ?? []).filter(({ type }) => type === 'credit_balance_transaction');
}

/** Inclusive tax is part of the amount already: only exclusive tax comes on top, and only it ties out with the total. */
export function onlyExclusive<T extends { readonly tax_behavior: string }>(taxes: readonly T[] | null): T[] {
  return (taxes ?? []).filter(({ tax_behavior: behaviour }) => behaviour === 'exclusive');
}
