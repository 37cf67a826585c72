// What cases have corrected already: items, credit notes and invoices that carry a case's id take the money of that case's
// break back, so that a run after a repair finds nothing. Pure.

import { BREAK_RULES } from '../../domain/contracts/break-codes.ts';
import type { BilledInvoice, BilledLine } from '../billing/port.ts';
import type { Finding } from './break.ts';
import { findCase, type Documents } from './documents.ts';
import type { KnownCase, OwnSide } from './sides.ts';

/** An item of a known case that is not itself agreed for this invoice: it corrects a break of this very period. */
export function isCorrection(own: OwnSide, { kind, caseId }: BilledLine): boolean {
  if (kind !== 'repair' || findCase(own, caseId) === null) return false;
  return !own.expected.lines.some((line) => line.kind === 'adjustment' && line.caseId === caseId);
}

/** Findings less what cases corrected. What was corrected beyond its break is a break the other way round. */
export function applyCorrections(
  own: OwnSide,
  findings: readonly Finding[],
  of: {
    readonly lines: readonly BilledLine[];
    readonly noted: readonly BilledInvoice[];
    readonly documents: Documents;
  },
): Finding[] {
  let left = [...findings];
  for (const known of own.cases) {
    const corrected = computeCorrected(own, known, of);
    if (corrected === 0n) continue;
    const index = left.findIndex(({ code, meter }) => code === known.code && meter === known.meter);
    const found = left[index];
    if (found === undefined) {
      if (isOfInvoice(known)) left.push(toOvercorrected(own, known, corrected));
      continue;
    }
    const amountMinor = found.amountMinor - corrected;
    left = amountMinor === 0n ? left.toSpliced(index, 1) : left.with(index, { ...found, amountMinor });
  }
  return left;
}

/** Signed as the break: what was charged for it is positive, what was credited negative. */
function computeCorrected(
  own: OwnSide,
  known: KnownCase,
  { lines, noted, documents }: Parameters<typeof applyCorrections>[2],
): bigint {
  const items = lines
    .filter((line) => line.caseId === known.id && isCorrection(own, line))
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  const issued = documents.corrections
    .filter(({ caseId, status, currency }) => caseId === known.id && status !== 'draft' && currency === own.currency)
    .reduce((sum, { totalMinor }) => sum + totalMinor, 0n);
  const credited = noted
    .flatMap(({ creditNotes }) => creditNotes)
    .filter(({ status, caseId }) => status === 'issued' && caseId === known.id)
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  // The biller takes a credit note off what is still to be paid: a break of cash shrinks by itself.
  return known.settledMinor + items + issued - (BREAK_RULES[known.code].stage === 'L6' ? 0n : credited);
}

/** Legs whose breaks are all found here, account by account; others may be told by the period's own comparison. */
export function isOfInvoice(known: KnownCase | null): boolean {
  return known !== null && ['L2', 'L3', 'L4', 'L5', 'L7'].includes(BREAK_RULES[known.code].stage);
}

function toOvercorrected(own: OwnSide, { id, code, meter, settledMinor }: KnownCase, corrected: bigint): Finding {
  return {
    code,
    account: own.account,
    meter,
    currency: own.currency,
    amountMinor: -corrected,
    hours: [],
    expected: `nothing left to correct for case ${id}`,
    actual: `corrected by ${corrected}${settledMinor === 0n ? '' : `, ${settledMinor} of it elsewhere`}`,
  };
}
