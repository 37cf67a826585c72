// Leg L7, coverage: an account with a subscription and no invoice for the period. Pure.

import type { Currency } from '../../domain/money.ts';
import type { Finding } from './break.ts';

/** The whole of what was rated is at stake, plan fee included. */
export function compareCoverage(of: {
  readonly account: string;
  readonly currency: Currency;
  readonly period: string;
  readonly totalMinor: bigint;
  readonly invoices: number;
}): Finding[] {
  if (of.invoices > 0) return [];
  return [
    {
      code: 'INVOICE_MISSING',
      account: of.account,
      meter: null,
      currency: of.currency,
      amountMinor: of.totalMinor,
      hours: [],
      expected: `one cycle invoice for ${of.period}`,
      actual: 'none',
    },
  ];
}
