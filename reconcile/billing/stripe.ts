// The billing port over Stripe's official SDK (stripe 23.1, API 2026-10-28.endive). This file and its siblings
// stripe-*.ts and errors.ts are the only ones that know the SDK. Holds no state worth keeping: dying loses nothing.

import type { Billing } from './port.ts';
import { createAgreements } from './stripe-agreements.ts';
import { createBilled } from './stripe-billed.ts';
import { createClient, type StripeOptions } from './stripe-call.ts';
import { createCatalogue, createSetup } from './stripe-catalogue.ts';
import { createInvoices } from './stripe-invoices.ts';
import { createRepairs } from './stripe-repairs.ts';
import { createUsage } from './stripe-usage.ts';

export function createStripeBilling(options: StripeOptions): Billing {
  const stripe = createClient(options);
  const catalogue = createCatalogue(stripe);
  return {
    ...createSetup(stripe, catalogue),
    ...createAgreements(stripe, catalogue),
    ...createUsage(stripe, catalogue, options),
    ...createInvoices(stripe),
    ...createBilled(stripe, catalogue),
    ...createRepairs(stripe),
  };
}
