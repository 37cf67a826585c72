// Reads a repair back: every step's effect, as the biller has it now. What the biller answered to the writes is not asked.

import type { BilledInvoice, Billing } from '../billing/port.ts';
import type { RepairStep } from './steps.ts';
import type { Repair } from './stored.ts';

type Reads = Pick<Billing, 'fetchInvoice' | 'fetchItem'>;

/** What does not hold, in words; empty when all does. */
export async function findProblems(reads: Reads, repair: Repair): Promise<string[]> {
  const problems: string[] = [];
  for (const [ordinal, step] of repair.plan.steps.entries()) {
    const effect = repair.effects[ordinal] ?? null;
    const problem = effect === null ? 'was not done' : await findProblem(reads, repair, { step, effect });
    if (problem !== null) problems.push(`step ${ordinal + 1}, ${step.action}: ${problem}`);
  }
  return problems;
}

type Done = { readonly step: RepairStep; readonly effect: string };

async function findProblem(reads: Reads, { plan }: Repair, { step, effect }: Done): Promise<string | null> {
  const { caseId } = plan;
  switch (step.action) {
    case 'resend_hours':
      // It was not done before the biller's total said so.
      return null;
    case 'add_item': {
      const item = await reads.fetchItem(effect);
      if (item.caseId !== caseId) return `item ${effect} is not of case ${caseId}`;
      if (item.amountMinor !== BigInt(step.amountMinor)) return `item ${effect} is over ${item.amountMinor}`;
      if (step.invoice !== null && item.invoice !== step.invoice) return `item ${effect} is not on ${step.invoice}`;
      return null;
    }
    case 'credit': {
      const { creditNotes } = await reads.fetchInvoice(step.invoice);
      const note = creditNotes.find(({ id }) => id === effect);
      if (note?.status !== 'issued') return `credit note ${effect} is not in force`;
      return note.amountMinor === BigInt(step.amountMinor) ? null : `credit note ${effect} is over ${note.amountMinor}`;
    }
    case 'issue': {
      const invoice = await reads.fetchInvoice(effect);
      const total = step.items.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n);
      if (invoice.caseId !== caseId) return `invoice ${effect} is not of case ${caseId}`;
      if (invoice.subtotalMinor !== total) return `invoice ${effect} is over ${invoice.subtotalMinor}`;
      return isOut(invoice) ? null : `invoice ${effect} is ${invoice.status}`;
    }
    case 'void':
      return expectStatus(await reads.fetchInvoice(step.invoice), ['void']);
    case 'finalize':
      return expectStatus(await reads.fetchInvoice(step.invoice), ['open', 'paid', 'uncollectible']);
    case 'mark_uncollectible':
      break;
  }
  // Money that came after all is no problem.
  return expectStatus(await reads.fetchInvoice(step.invoice), ['uncollectible', 'paid']);
}

function isOut({ status }: BilledInvoice): boolean {
  return status === 'open' || status === 'paid' || status === 'uncollectible';
}

function expectStatus({ id, status }: BilledInvoice, wanted: readonly string[]): string | null {
  return wanted.includes(status) ? null : `invoice ${id} is ${status}`;
}
