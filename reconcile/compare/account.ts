// The comparison of one account in one period: every leg that concerns one account alone, in the order of the money's way.
// Each leg starts from what the one before left. So no difference is told twice, and what should be charged is exactly
// what is charged, plus the findings, plus what is not yet due, plus what follows from the findings by itself:
//   expected total − charged = Σ findings of L2 to L5 and L7 + Σ what is not yet invoiced + followingMinor
// Pure: the same sides at the same time give the same answer, here, offline and in an audit.

import type { BilledInvoice, BilledLine } from '../billing/port.ts';
import { mergeFindings, type Finding, type LegResult } from './break.ts';
import { compareCash, compareCreditNotes } from './cash.ts';
import { computeCharges, groupLines, matchCharges, type Charge } from './charges.ts';
import { applyCorrections, isCorrection } from './corrections.ts';
import { compareCoverage, isIssued } from './coverage.ts';
import { isInvoiceDue, sortDocuments, type Documents } from './documents.ts';
import { compareItems } from './items.ts';
import { compareMeterErrors } from './meter-errors.ts';
import { compareQuantity, compareStray } from './quantity.ts';
import { compareProratedFees, compareProration, compareRating } from './rating.ts';
import { compareReductions, type Reductions } from './reductions.ts';
import type { BillerSide, CompareAt, OwnSide } from './sides.ts';
import { computeStanding, type Standing } from './standing.ts';
import { compareState } from './state.ts';
import { compareSummaries } from './summaries.ts';

export type Comparison = LegResult & {
  /** What discounts, prepaid credit and tax by themselves make of the findings on lines; zero where there are none. */
  readonly followingMinor: bigint;
  readonly standing: Standing;
};

export function compareAccount(own: OwnSide, biller: BillerSide, at: CompareAt): Comparison {
  const { billing } = biller;
  const charges = computeCharges(own);
  const documents = sortDocuments(own, billing.invoices);
  const transmit = compareSummaries(own, biller, charges, at);

  const issued = issuedOf(own, documents);
  const lines = issued.flatMap((invoice) => invoice.lines);
  const comparable = isComparable(own, documents);
  const invoice = comparable ? compareLines(own, { charges, sent: transmit.sent, lines }) : null;

  const told = sumOf(transmit.findings) + sumOf(transmit.expected);
  const updates = documents.updates.filter(({ currency, status }) => currency === own.currency && status !== 'void');
  const billedBeside = updates.reduce((sum, { totalMinor }) => sum + totalMinor, 0n);
  const leftMinor = own.expected.totalMinor - told - billedBeside;
  const coverage = compareCoverage(own, documents, leftMinor, at);
  const cash = issued.map((one) => compareCash(own, one, at));
  const noted = billing.invoices.filter(
    (one) => issued.includes(one) || (one.currency === own.currency && one.status !== 'void'),
  );

  const findings = [
    ...transmit.findings,
    ...compareMeterErrors(own, biller.meterErrors),
    ...(invoice?.findings ?? []),
    ...coverage.findings,
    ...compareReplacement(own, documents, leftMinor),
    ...cash.flatMap((one) => one.findings),
    ...compareCreditNotes(own, noted),
    ...compareState(own, billing.subscriptions),
  ];
  // The items of an invoice that replaces another one bill the period: they correct nothing beside it.
  const correcting = documents.replaces === null ? lines : updates.flatMap((one) => one.lines);
  const corrected = applyCorrections(own, mergeFindings(findings), { lines: correcting, noted, documents });
  return {
    findings: mergeFindings(corrected),
    expected: [...transmit.expected, ...coverage.expected, ...cash.flatMap((one) => one.expected)],
    followingMinor: invoice?.followingMinor ?? 0n,
    standing: computeStanding(own, { documents, issued, noted }),
  };
}

/** Legs L3 to L5 over the lines of everything that was issued for the period. */
function compareLines(
  own: OwnSide,
  of: { readonly charges: readonly Charge[]; readonly sent: readonly bigint[]; readonly lines: readonly BilledLine[] },
): Reductions {
  const { charges, sent, lines } = of;
  const matched = matchCharges(charges, groupLines(lines));
  const usage = matched.charges.flatMap((match, index): Finding[] => {
    const wasSent = sent[index] ?? match.charge.quantity;
    if (match.charge.kind === 'proration') return compareProration(own, match, wasSent);
    return [...compareQuantity(own, match, wasSent), ...compareRating(own, match)];
  });
  const metersCharged = new Set<string>(charges.map(({ meter }) => meter));
  const items = lines.filter((line) => isItem(line) && !isCorrection(own, line));
  const reductions = compareReductions(own, lines);
  const findings = [
    ...usage,
    ...compareStray(own, metersCharged, matched.stray),
    ...compareProratedFees(own, lines),
    ...compareItems(own, items),
    ...reductions.findings,
  ];
  return { findings, followingMinor: reductions.followingMinor };
}

/** What is neither metered usage nor a proration. A metered price that is none of ours counts as an item nobody agreed to. */
function isItem({ kind, meter }: BilledLine): boolean {
  return kind !== 'proration' && (kind !== 'usage' || meter === null);
}

/** In our currency: what is in another one can't be counted. */
function issuedOf(own: OwnSide, { main, updates }: Documents): BilledInvoice[] {
  if (!isInvoiceDue(own)) return [];
  const bills = main !== null && isIssued(own, main) ? [main] : [];
  const all = [...bills, ...updates.filter(({ status }) => status !== 'void')];
  return all.filter(({ currency }) => currency === own.currency);
}

/** Lines are compared once the period's invoice is issued, in the agreed currency, and not as a replacement's totals. */
function isComparable(own: OwnSide, { main, replaces }: Documents): boolean {
  return (
    isInvoiceDue(own) && main !== null && replaces === null && isIssued(own, main) && main.currency === own.currency
  );
}

/** An invoice issued for a case bills amounts and not usage: it must come to what was left to charge. */
function compareReplacement(own: OwnSide, { main, replaces }: Documents, leftMinor: bigint): Finding[] {
  if (main === null || replaces === null || main.status === 'draft' || main.currency !== own.currency) return [];
  const amountMinor = leftMinor - main.totalMinor;
  if (amountMinor === 0n) return [];
  return [
    {
      code: replaces.code,
      account: own.account,
      meter: replaces.meter,
      currency: own.currency,
      amountMinor,
      hours: [],
      expected: `${leftMinor} on the invoice for case ${replaces.id}`,
      actual: main.totalMinor.toString(),
    },
  ];
}

function sumOf(items: readonly { readonly amountMinor: bigint }[]): bigint {
  return items.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
}
