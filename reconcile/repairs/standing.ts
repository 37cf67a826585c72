// What a customer is charged for a period, as the biller has it: what a repair starts from and where it leads. Pure.

import type { AccountBilling, BilledInvoice, InvoiceStatus } from '../billing/port.ts';

export type StandingInvoice = {
  readonly invoice: string;
  readonly status: InvoiceStatus;
  readonly totalMinor: string;
  /** Issued credit notes. */
  readonly creditedMinor: string;
};

export type Standing = {
  readonly invoices: readonly StandingInvoice[];
  /** What waits for the customer's next invoice because of this repair. */
  readonly nextInvoiceMinor: string;
  /** Totals of what is not void, less credit notes, and what waits. */
  readonly chargedMinor: string;
};

export function creditedMinor({ creditNotes }: BilledInvoice): bigint {
  return creditNotes.reduce((sum, { status, amountMinor }) => (status === 'issued' ? sum + amountMinor : sum), 0n);
}

export function computeStanding({ invoices }: Pick<AccountBilling, 'invoices'>): Standing {
  const standing = invoices.map((invoice) => ({
    invoice: invoice.id,
    status: invoice.status,
    totalMinor: invoice.totalMinor.toString(),
    creditedMinor: creditedMinor(invoice).toString(),
  }));
  return withCharged(standing, 0n);
}

/** A standing whose sum is computed from its parts. */
export function withCharged(invoices: readonly StandingInvoice[], nextInvoiceMinor: bigint): Standing {
  const charged = invoices
    .filter(({ status }) => status !== 'void')
    .reduce((sum, one) => sum + BigInt(one.totalMinor) - BigInt(one.creditedMinor), nextInvoiceMinor);
  return { invoices, nextInvoiceMinor: nextInvoiceMinor.toString(), chargedMinor: charged.toString() };
}

/**
 * What of `planned` no longer holds at the biller, in words. A draft's total is the biller's estimate and may move; other
 * repairs may have credited in between, which the biller itself checks against what is left.
 */
export function findMoved(planned: Standing, now: Standing): string[] {
  return planned.invoices.flatMap((before) => {
    const after = now.invoices.find(({ invoice }) => invoice === before.invoice);
    if (after === undefined) return [`invoice ${before.invoice} is gone`];
    if (after.status !== before.status) return [`invoice ${before.invoice} was ${before.status}, is ${after.status}`];
    if (before.status === 'draft' || after.totalMinor === before.totalMinor) return [];
    return [`invoice ${before.invoice} was over ${before.totalMinor}, is over ${after.totalMinor} minor units`];
  });
}
