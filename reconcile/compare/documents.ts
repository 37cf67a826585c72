// Which of the biller's invoices is what: the one that bills the period, what a change inside the period made, and those that
// nobody asked for. Every invoice handed in bears on the period (the billing port sees to that). Pure.

import type { BilledInvoice } from '../billing/port.ts';
import type { KnownCase, OwnSide } from './sides.ts';

export type Documents = {
  /** Bills the period: finalized, a draft, or void when nothing took its place; null when there is none. */
  readonly main: BilledInvoice | null;
  /** The case for which the main invoice replaces another one. */
  readonly replaces: KnownCase | null;
  /** Made by changes inside the period; they bill a part of it. */
  readonly updates: readonly BilledInvoice[];
  readonly duplicates: readonly BilledInvoice[];
  readonly orphans: readonly BilledInvoice[];
  /** Issued for a case beside the main invoice. */
  readonly corrections: readonly BilledInvoice[];
};

const UPDATE_REASONS: ReadonlySet<string> = new Set([
  'subscription',
  'subscription_create',
  'subscription_update',
  'subscription_threshold',
]);

/** Whether an invoice is owed for the period: while active always, otherwise only if there is something to charge. */
export function isInvoiceDue({ state, expected }: Pick<OwnSide, 'state' | 'expected'>): boolean {
  return state === 'active' || (state !== 'none' && expected.lines.length > 0);
}

export function findCase(own: OwnSide, id: string | null): KnownCase | null {
  return own.cases.find((known) => known.id === id) ?? null;
}

export function sortDocuments(own: OwnSide, invoices: readonly BilledInvoice[]): Documents {
  const due = isInvoiceDue(own);
  const ofOurs = (invoice: BilledInvoice) => own.subscription === null || invoice.subscription === own.subscription;
  const isOwed = (invoice: BilledInvoice) => due && ofOurs(invoice);
  const isCycle = (invoice: BilledInvoice) => invoice.billingReason === 'subscription_cycle' && isOwed(invoice);
  const isUpdate = (invoice: BilledInvoice) => UPDATE_REASONS.has(invoice.billingReason) && isOwed(invoice);
  const live = invoices.filter(({ status }) => status !== 'void');

  const [cycle, ...duplicates] = live.filter(isCycle).sort(byStanding);
  const others = live.filter((invoice) => !isCycle(invoice) && !isUpdate(invoice));
  const issued = others.filter(({ caseId }) => findCase(own, caseId) !== null).sort(byStanding);
  const replacement = cycle === undefined ? issued[0] : undefined;
  const main = cycle ?? replacement ?? invoices.filter(isCycle).sort(byStanding)[0] ?? null;
  return {
    main,
    replaces: replacement === undefined ? null : findCase(own, replacement.caseId),
    updates: invoices.filter((invoice) => isUpdate(invoice) && invoice.status !== 'draft'),
    duplicates,
    orphans: others.filter((invoice) => !issued.includes(invoice) && isMoney(invoice)),
    corrections: issued.filter((invoice) => invoice !== main),
  };
}

/** What was finalized stands before drafts, the older before the younger. */
function byStanding(a: BilledInvoice, b: BilledInvoice): number {
  const drafts = Number(a.status === 'draft') - Number(b.status === 'draft');
  return drafts || a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1);
}

/** Stripe makes invoices of nothing at the start and the end of a subscription. */
function isMoney({ totalMinor, lines }: BilledInvoice): boolean {
  return totalMinor !== 0n || lines.some(({ amountMinor }) => amountMinor !== 0n);
}
