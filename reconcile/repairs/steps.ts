// What a repair does at the biller, step by step, as plain data: it is shown before it is approved, hashed when it is, and
// carried out exactly so. Amounts and quantities are decimal strings, as records carry them. Pure.

import type { MeterName } from '../../domain/meter.ts';
import { formatMoney, type Currency } from '../../domain/money.ts';
import { toIso } from '../../domain/period.ts';
import type { RepairCredit } from '../billing/port.ts';

export type RepairHour = { readonly hourAtMs: number; readonly quantity: string };

export type ReissuedItem = {
  readonly meter: MeterName | null;
  readonly amountMinor: string;
  readonly description: string;
};

export type RepairStep =
  | {
      readonly action: 'resend_hours';
      readonly meter: MeterName;
      readonly hours: readonly RepairHour[];
      /** What the biller's summary of the period must say afterwards. */
      readonly total: string;
    }
  | {
      readonly action: 'add_item';
      /** Null: the customer's next invoice takes it up. */
      readonly invoice: string | null;
      readonly meter: MeterName | null;
      readonly amountMinor: string;
      readonly description: string;
    }
  | {
      readonly action: 'credit';
      readonly invoice: string;
      readonly amountMinor: string;
      readonly settle: RepairCredit['settle'];
    }
  | { readonly action: 'void'; readonly invoice: string }
  | { readonly action: 'issue'; readonly replaces: string | null; readonly items: readonly ReissuedItem[] }
  | { readonly action: 'finalize'; readonly invoice: string }
  | { readonly action: 'mark_uncollectible'; readonly invoice: string };

const SETTLEMENTS: Readonly<Record<RepairCredit['settle'], string>> = {
  balance: "to the customer's balance",
  refund: 'back to the card',
  out_of_band: 'outside of Stripe',
};

/** The step in words, with the call it makes. */
export function describeStep(step: RepairStep, currency: Currency): string {
  const money = (minor: string) => `${formatMoney(BigInt(minor), currency)} ${currency}`;
  switch (step.action) {
    case 'resend_hours': {
      const [first] = step.hours;
      const from = first === undefined ? '' : ` from ${toIso(first.hourAtMs)}`;
      return `replace ${step.hours.length} hours of ${step.meter}${from}, so that the period reads ${step.total} (meter event stream)`;
    }
    case 'add_item': {
      const place = step.invoice === null ? "the customer's next invoice" : `draft ${step.invoice}`;
      return `put ${money(step.amountMinor)} on ${place}: ${step.description} (POST /v1/invoiceitems)`;
    }
    case 'credit':
      return `credit ${money(step.amountMinor)} of ${step.invoice}, what was paid of it ${SETTLEMENTS[step.settle]} (POST /v1/credit_notes)`;
    case 'void':
      return `void ${step.invoice} (POST /v1/invoices/${step.invoice}/void)`;
    case 'issue': {
      const total = step.items.reduce((sum, item) => sum + BigInt(item.amountMinor), 0n).toString();
      const instead = step.replaces === null ? '' : ` instead of ${step.replaces}`;
      return `issue an invoice of ${step.items.length} items over ${money(total)}${instead} (POST /v1/invoices, /v1/invoiceitems, finalize)`;
    }
    case 'finalize':
      return `finalize ${step.invoice} (POST /v1/invoices/${step.invoice}/finalize)`;
    case 'mark_uncollectible':
      break;
  }
  return `mark ${step.invoice} uncollectible (POST /v1/invoices/${step.invoice}/mark_uncollectible)`;
}
