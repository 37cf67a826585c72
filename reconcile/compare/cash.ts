// Leg L6, cash: what an issued invoice asks for against what is known to have been paid, and what was taken back. Pure.

import { WAITS } from '../../domain/contracts/waits.ts';
import type { BilledInvoice } from '../billing/port.ts';
import type { Finding, LegResult, NotYetDue } from './break.ts';
import { findCase } from './documents.ts';
import type { CompareAt, OwnSide } from './sides.ts';

/** One invoice that was finalized, in our currency. */
export function compareCash(own: OwnSide, invoice: BilledInvoice, at: CompareAt): LegResult {
  const findings = [...compareReceived(own, invoice)];
  const open = invoice.amountDueMinor + invoice.amountOverpaidMinor - invoice.amountPaidMinor;
  if (open <= 0n) return { findings, expected: [] };
  const shared = { account: own.account, meter: null, currency: own.currency, amountMinor: open };
  const found = (code: Finding['code'], actual: string): LegResult => ({
    findings: [...findings, { ...shared, code, hours: [], expected: `paid ${invoice.amountDueMinor}`, actual }],
    expected: [],
  });
  if (invoice.status === 'void' || invoice.status === 'uncollectible') {
    if (findCase(own, invoice.caseId) !== null) return { findings, expected: [] };
    return found('WRITE_OFF', invoice.status);
  }
  const dueAtMs = dueOf(invoice);
  if (at.nowMs < dueAtMs) {
    const waiting: NotYetDue = { ...shared, what: 'payment', dueAtMs, why: `${invoice.status}, not yet due` };
    return { findings, expected: [waiting] };
  }
  const paid = invoice.amountDueMinor - open;
  return found(paid === 0n ? 'PAYMENT_MISSING' : 'PAYMENT_PARTIAL', `paid ${paid}`);
}

/** Too much money, and money of which only the mark says that it came. */
function compareReceived(own: OwnSide, invoice: BilledInvoice): Finding[] {
  const shared = { account: own.account, meter: null, currency: own.currency, hours: [] };
  const { amountOverpaidMinor, amountDueMinor, payments } = invoice;
  const outOfBand = payments
    .filter((payment) => payment.outOfBand && payment.status === 'paid')
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  const over: Finding = {
    ...shared,
    code: 'PAYMENT_OVER',
    amountMinor: -amountOverpaidMinor,
    expected: `paid ${amountDueMinor}`,
    actual: `paid ${amountDueMinor + amountOverpaidMinor}`,
  };
  const unproven: Finding = {
    ...shared,
    code: 'PAYMENT_OUT_OF_BAND',
    amountMinor: outOfBand,
    expected: 'paid through Stripe',
    actual: `${outOfBand} marked as paid`,
  };
  return [...(amountOverpaidMinor > 0n ? [over] : []), ...(outOfBand > 0n ? [unproven] : [])];
}

/** Credit notes that no case of ours explains: they took back what was charged. */
export function compareCreditNotes(own: OwnSide, invoices: readonly BilledInvoice[]): Finding[] {
  return invoices
    .flatMap(({ creditNotes }) => creditNotes)
    .filter(({ status, caseId }) => status === 'issued' && findCase(own, caseId) === null)
    .map(({ amountMinor, number, id, caseId }) => ({
      code: 'CREDIT_NOTE_UNEXPLAINED',
      account: own.account,
      meter: null,
      currency: own.currency,
      amountMinor,
      hours: [],
      expected: 'a case of ours',
      actual: `credit note ${number ?? id} of ${amountMinor} for ${caseId === null ? 'no case' : `case ${caseId}`}`,
    }));
}

/** An invoice that is charged automatically has no due date: it is due once a charge can be expected to have settled. */
function dueOf({ dueAtMs, finalizedAtMs, createdAtMs }: BilledInvoice): number {
  return dueAtMs ?? (finalizedAtMs ?? createdAtMs) + WAITS.paymentSettlesWithinMs;
}
