// Sets accounts up for billing: meters, products, every price they pay, customer and subscription. Idempotent throughout;
// what Stripe calls an account is recorded at the accounts door as soon as it is known.

import type { Account, Accounts } from '../../accounts/door.ts';
import { METERS } from '../../domain/meter.ts';
import { forEachAtOnce } from '../activities/at-once.ts';
import type { Billing } from './port.ts';

export type ProvisionOptions = {
  readonly billing: Billing;
  readonly accounts: Accounts;
  /** Business time: accounts that exist by then, at the terms in force then. */
  readonly atMs: number;
  /** The simulated clock a customer lives on; left out in production. */
  readonly testClockOf?: (account: string) => string | undefined;
  readonly onAccount?: (done: number, total: number) => void;
};

const AT_ONCE = 4;

export async function provisionBilling(options: ProvisionOptions): Promise<void> {
  const { billing, accounts } = options;
  const all = await accounts.fetchAccounts({ existingAtMs: options.atMs, termsAtMs: options.atMs });
  await billing.ensureMeters();
  await billing.ensureProducts();
  const prices = new Map(
    all.flatMap((account) =>
      METERS.map((meter) => [`${account.terms.prices[meter].id} ${account.currency}`, { account, meter }]),
    ),
  );
  for (const { account, meter } of prices.values()) {
    await billing.ensurePrice(account.terms.prices[meter], account.currency);
  }
  let done = 0;
  await forEachAtOnce(AT_ONCE, all, async (account) => {
    await provisionAccount(options, account);
    done += 1;
    options.onAccount?.(done, all.length);
  });
}

async function provisionAccount({ billing, accounts, testClockOf }: ProvisionOptions, account: Account): Promise<void> {
  const testClock = testClockOf?.(account.id);
  const clock = testClock === undefined ? {} : { testClock };
  const customer = account.stripe.customer ?? (await billing.ensureCustomer(account.id, clock));
  if (account.stripe.customer === undefined) await accounts.recordStripeId(account.id, 'customer', customer);
  if (account.stripe.subscription !== undefined) return;
  const prices = METERS.map((meter) => account.terms.prices[meter]);
  const subscription = await billing.ensureSubscription({ account: account.id, customer }, prices, account.currency);
  await accounts.recordStripeId(account.id, 'subscription', subscription);
}
