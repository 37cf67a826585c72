// One read of the biller, to see whether the key works, in which mode and in which API version. Nothing can be written
// through it, whatever the key may do.

import { Stripe } from 'stripe';
import { createClient, read, type StripeOptions } from './stripe-call.ts';
import { createReadOnlyHttpClient } from './stripe-http.ts';

export type StripeFacts = {
  /** Of the objects it showed; null when it showed none. */
  readonly livemode: boolean | null;
  readonly asked: string;
  readonly answered: string | null;
  /** Event names of active meters; null when there are more than one answer lists. */
  readonly meters: readonly string[] | null;
};

/** Throws what `read` throws: `rejected` STRIPE_AUTHENTICATION for a key that is not taken. */
export async function probeStripe(options: StripeOptions): Promise<StripeFacts> {
  const stripe = createClient(options, createReadOnlyHttpClient(options));
  const page = await read('meters', async () => stripe.billing.meters.list({ limit: 100, status: 'active' }));
  return {
    livemode: page.data[0]?.livemode ?? null,
    asked: Stripe.API_VERSION,
    answered: page.lastResponse.apiVersion ?? null,
    meters: page.has_more ? null : page.data.map((meter) => meter.event_name),
  };
}
