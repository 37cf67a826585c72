// What a comparison says about an account, in the words of its run. Pure: the close and an offline re-run take it from here,
// so that the same sides give the same row.

import { compareAccount } from '../compare/account.ts';
import type { Finding } from '../compare/break.ts';
import type { Sides } from '../compare/sides-record.ts';
import type { BilledInvoice } from '../billing/port.ts';
import type { RunAccount } from '../store/runs.ts';

export type AccountResult = Pick<RunAccount, 'state' | 'invoice'> & {
  readonly compared: NonNullable<RunAccount['compared']>;
  /** Of a billed account: the invoice that bills the period. */
  readonly bill: BilledInvoice | null;
  readonly findings: readonly Finding[];
};

export function computeAccountResult({ own, biller, at }: Sides): AccountResult {
  const { standing, findings, expected, followingMinor } = compareAccount(own, biller, at);
  const { state, invoice, number, status, chargedMinor, linesMinor, expectedMinor, dueMinor, paidMinor } = standing;
  // Without its cycle invoice an account can still have been charged by another one.
  const isCharged = state === 'billed' || (state === 'missing' && chargedMinor !== 0n);
  const waitingMinor = expected
    .filter(({ what }) => what === 'payment')
    .reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  return {
    state,
    invoice: isCharged ? { number, status: status ?? 'unknown', totalMinor: chargedMinor, linesMinor } : null,
    compared: { expectedMinor, followingMinor, dueMinor, paidMinor, waitingMinor },
    bill: state === 'billed' ? (biller.billing.invoices.find(({ id }) => id === invoice) ?? null) : null,
    findings,
  };
}
