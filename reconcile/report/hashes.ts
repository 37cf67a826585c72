// The two hashes of a report. reportHash says what was found and binds nothing that depends on when, where or how often
// something ran: no Stripe ids, no offsets, no machine times. evidenceHash binds exactly those that can be bound. Pure.

import { canonicalJson, sha256, type Canonical } from '../../domain/canonical.ts';
import type { AccountRow, Report, ReportBreak } from './types.ts';

type ReportContent = Pick<Report, 'period' | 'accounts' | 'breaks' | 'quantities'> & { readonly priceBookHash: string };

export function computeReportHash({ period, priceBookHash, quantities, accounts, breaks }: ReportContent): string {
  return hash({
    period,
    priceBookHash,
    quantities: sorted(quantities.map(({ meter, rolledUp }) => [meter, rolledUp])),
    accounts: sorted(accounts.map(toAccountContent)),
    breaks: sorted(breaks.map((found) => toBreakContent(found, period))),
  });
}

function toAccountContent(row: AccountRow): Canonical {
  const meters = row.meters.map(({ meter, priceId, quantity, amountMinor }) => [meter, priceId, quantity, amountMinor]);
  return [row.account, row.currency, row.state, row.usageMinor, row.feeMinor, row.invoicedMinor, sorted(meters)];
}

function toBreakContent({ code, account, meter, amountMinor, currency }: ReportBreak, period: string): Canonical {
  return [code, account, meter, period, amountMinor, currency];
}

export function computeEvidenceHash(reportHash: string, evidence: Report['evidence']): string {
  return hash({ reportHash, ...evidence, hashes: [...evidence.hashes].sort() });
}

function sorted(rows: readonly Canonical[]): Canonical[] {
  return rows
    .map((row) => ({ row, text: canonicalJson(row) }))
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ row }) => row);
}

function hash(content: Canonical): string {
  return sha256(canonicalJson(content));
}
