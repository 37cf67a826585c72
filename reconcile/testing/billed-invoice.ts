// An invoice as the billing port gives it, for tests of what is computed from it.

import { HOUR_MS, type Period } from '../../domain/period.ts';
import type { BilledInvoice } from '../billing/port.ts';

/** An open cycle invoice over 10.00, changed as a test needs it. */
export const billedInvoice = (period: Period, change: Partial<BilledInvoice> = {}): BilledInvoice => ({
  id: 'in_1',
  number: 'A-1',
  status: 'open',
  billingReason: 'subscription_cycle',
  subscription: 'sub_1',
  currency: 'usd',
  createdAtMs: period.endAtMs,
  finalizedAtMs: period.endAtMs + 48 * HOUR_MS,
  dueAtMs: null,
  caseId: null,
  finalizationError: null,
  subtotalMinor: 1000n,
  discountMinor: 0n,
  creditMinor: 0n,
  taxMinor: 0n,
  totalMinor: 1000n,
  amountDueMinor: 1000n,
  amountPaidMinor: 0n,
  amountRemainingMinor: 1000n,
  amountOverpaidMinor: 0n,
  lines: [],
  payments: [],
  creditNotes: [],
  snapshot: {},
  ...change,
});
