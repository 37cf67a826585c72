// Where an account stands once it was compared: whether its period is invoiced, at how much, and how much of it was paid.
// Pure.

import { sumLines } from '../../domain/rating.ts';
import type { BilledInvoice, InvoiceStatus } from '../billing/port.ts';
import { isIssued } from './coverage.ts';
import { isOfInvoice } from './corrections.ts';
import { findCase, isInvoiceDue, type Documents } from './documents.ts';
import type { OwnSide } from './sides.ts';

export type Standing = {
  /** billed: issued, or nothing is due; held: not issued; missing: no invoice exists. */
  readonly state: 'billed' | 'held' | 'missing';
  /** The invoice that bills the period, by the biller's id; null when there is none. */
  readonly invoice: string | null;
  readonly number: string | null;
  readonly status: InvoiceStatus | null;
  /** The total as agreed, after discounts, credit and tax. */
  readonly expectedMinor: bigint;
  /** Everything that is charged for the period, what cases corrected included. */
  readonly chargedMinor: bigint;
  /** The lines of it all, before anything is taken off or put on. */
  readonly linesMinor: bigint;
  /** What issued invoices ask for, and what was paid of it. */
  readonly dueMinor: bigint;
  readonly paidMinor: bigint;
};

/** `issued`: what bills the period; `noted`: whatever credit notes count of. Both in our currency. */
export function computeStanding(
  own: OwnSide,
  of: {
    readonly documents: Documents;
    readonly issued: readonly BilledInvoice[];
    readonly noted: readonly BilledInvoice[];
  },
): Standing {
  const { documents, issued, noted } = of;
  const { main, duplicates, orphans, corrections } = documents;
  const unasked = [...duplicates, ...orphans, ...corrections.filter(({ status }) => status !== 'draft')];
  const charged = [...issued, ...unasked.filter(({ currency }) => currency === own.currency)];
  const sum = (some: readonly BilledInvoice[], value: (invoice: BilledInvoice) => bigint) =>
    some.reduce((total, invoice) => total + value(invoice), 0n);
  const creditedMinor = sum(noted, ({ creditNotes }) => creditedFor(own, creditNotes));
  return {
    state: stateOf(own, main),
    invoice: main?.id ?? null,
    number: main?.number ?? null,
    status: main?.status ?? null,
    expectedMinor: own.expected.totalMinor,
    chargedMinor: sum(charged, ({ totalMinor }) => totalMinor) - creditedMinor + settledOf(own),
    linesMinor: sum(charged, ({ lines }) => sumLines(lines)),
    dueMinor: sum(issued, ({ amountDueMinor }) => amountDueMinor),
    paidMinor: sum(issued, ({ amountPaidMinor }) => amountPaidMinor),
  };
}

function stateOf(own: OwnSide, main: BilledInvoice | null): Standing['state'] {
  if (!isInvoiceDue(own)) return 'billed';
  if (main === null) return 'missing';
  return isIssued(own, main) ? 'billed' : 'held';
}

/** A credit note for a case of cash gives up a payment and takes nothing off what was charged. */
function creditedFor(own: OwnSide, creditNotes: BilledInvoice['creditNotes']): bigint {
  return creditNotes
    .filter(({ status, caseId }) => status === 'issued' && isOfInvoice(findCase(own, caseId)))
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
}

function settledOf(own: OwnSide): bigint {
  return own.cases.filter(isOfInvoice).reduce((sum, { settledMinor }) => sum + settledMinor, 0n);
}
