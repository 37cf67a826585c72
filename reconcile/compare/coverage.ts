// Leg L7, coverage: every period that is owed has one invoice, and every invoice is owed; and leg L5 as far as an invoice
// never gets finalized. These breaks take what the legs before left of the whole total. Pure.

import { WAITS } from '../../domain/contracts/waits.ts';
import type { BilledInvoice } from '../billing/port.ts';
import type { Finding, LegResult, NotYetDue } from './break.ts';
import { findCase, isInvoiceDue, type Documents } from './documents.ts';
import type { CompareAt, OwnSide } from './sides.ts';

/** `leftMinor` is the total that no leg before has named and no other invoice bills. */
export function compareCoverage(own: OwnSide, documents: Documents, leftMinor: bigint, at: CompareAt): LegResult {
  const extra = [
    ...documents.duplicates.map((invoice) => toExtra(own, 'INVOICE_DUPLICATE', invoice)),
    ...documents.orphans.map((invoice) => toExtra(own, 'INVOICE_ORPHAN', invoice)),
  ];
  if (!isInvoiceDue(own)) return { findings: extra, expected: [] };
  const main = compareMain(own, documents.main, leftMinor, at);
  return { findings: [...extra, ...main.findings], expected: main.expected };
}

/** Whether the lines can be compared: drafts are estimates, and what a case took back is the case's matter. */
export function isIssued(own: OwnSide, invoice: BilledInvoice): boolean {
  if (invoice.status === 'void') return findCase(own, invoice.caseId) === null;
  return invoice.status !== 'draft';
}

function compareMain(own: OwnSide, main: BilledInvoice | null, leftMinor: bigint, at: CompareAt): LegResult {
  const found = (code: Finding['code'], actual: string, expected: string): LegResult => ({
    findings: [{ ...sharedOf(own), code, amountMinor: leftMinor, hours: [], expected, actual }],
    expected: [],
  });
  const waiting = (why: string, dueAtMs: number | null): LegResult => {
    const item: NotYetDue = { ...sharedOf(own), what: 'invoice', amountMinor: leftMinor, dueAtMs, why };
    return { findings: [], expected: [item] };
  };
  if (main === null) {
    const dueAtMs = own.period.endAtMs + WAITS.cycleInvoiceMs;
    if (at.nowMs < dueAtMs) return waiting('the cycle has made no invoice yet', dueAtMs);
    return found('INVOICE_MISSING', 'none', `one cycle invoice for ${own.period.key}`);
  }
  if (main.status === 'draft') {
    if (main.finalizationError !== null) return found('FINALIZATION_FAILED', main.finalizationError, 'finalized');
    if (own.holds.length > 0) return waiting(`held: ${own.holds.join(', ')}`, null);
    const dueAtMs = Math.max(own.period.endAtMs + WAITS.graceMs, main.createdAtMs + WAITS.draftClaimWithinMs);
    return at.nowMs < dueAtMs ? waiting('draft', dueAtMs) : found('INVOICE_STUCK_DRAFT', 'draft', 'finalized');
  }
  if (!isIssued(own, main)) return waiting(`taken back for case ${main.caseId}`, null);
  if (main.currency === own.currency) return { findings: [], expected: [] };
  return found('CURRENCY_MISMATCH', main.currency, own.currency);
}

/** Nothing of it is owed. A total in another currency can't be counted in ours: the break then tells it in words. */
function toExtra(own: OwnSide, code: 'INVOICE_DUPLICATE' | 'INVOICE_ORPHAN', invoice: BilledInvoice): Finding {
  const { totalMinor, currency, billingReason, status } = invoice;
  return {
    ...sharedOf(own),
    code,
    amountMinor: currency === own.currency ? -totalMinor : 0n,
    hours: [],
    expected: code === 'INVOICE_DUPLICATE' ? `one cycle invoice for ${own.period.key}` : 'no such invoice',
    actual: `${billingReason}, ${status}: ${totalMinor} ${currency}`,
  };
}

function sharedOf({ account, currency }: OwnSide) {
  return { account, currency, meter: null };
}
