// Sets accounts up for billing: meters, products, every price they pay, customer, subscription, and what else the agreement
// says that Stripe must know: discount, tax, prepaid credit, a trial. Idempotent throughout, and to be repeated whenever
// something is newly agreed; what Stripe calls an account is recorded at the accounts door as soon as it is known.
// Prices that change inside a period are not its matter: see activities/change-prices.ts.

import type { Account, Accounts } from '../../accounts/door.ts';
import { computeAgreement, type AgreementHistory } from '../../domain/agreement.ts';
import { invariant, TrueupError } from '../../domain/contracts/errors.ts';
import { METERS } from '../../domain/meter.ts';
import { periodOf, toIso } from '../../domain/period.ts';
import { inForceAt } from '../../domain/price-book-terms.ts';
import { forEachAtOnce } from '../activities/at-once.ts';
import type { Billing, SubscriptionRef } from './port.ts';

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
  const histories = new Map((await accounts.fetchHistories()).map((history) => [history.account, history]));
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
    const history = histories.get(account.id);
    invariant(history !== undefined, 'I6', `account ${account.id} has no history`);
    await provisionAccount(options, account, history);
    done += 1;
    options.onAccount?.(done, all.length);
  });
}

async function provisionAccount(options: ProvisionOptions, account: Account, history: AgreementHistory): Promise<void> {
  const { billing, atMs } = options;
  const { currency } = account;
  const ref = await ensureSubscribed(options, account, history);
  // As of the period's last instant, because it is the invoice of the whole period that they reduce.
  const { discount, taxBasisPoints, grants } = computeAgreement(history, periodOf(atMs));
  await billing.ensureReductions(ref, { discount, taxBasisPoints, currency });
  for (const grant of grants) if (grant.remainingMinor > 0n) await billing.ensureGrant(ref, grant, currency);
}

async function ensureSubscribed(
  { billing, accounts, atMs, testClockOf }: ProvisionOptions,
  account: Account,
  history: AgreementHistory,
): Promise<SubscriptionRef> {
  const testClock = testClockOf?.(account.id);
  const clock = testClock === undefined ? {} : { testClock };
  const customer = account.stripe.customer ?? (await billing.ensureCustomer(account.id, clock));
  if (account.stripe.customer === undefined) await accounts.recordStripeId(account.id, 'customer', customer);
  const ref = { account: account.id, customer };
  if (account.stripe.subscription !== undefined) return { ...ref, subscription: account.stripe.subscription };
  const prices = METERS.map((meter) => account.terms.prices[meter]);
  const subscription = await billing.ensureSubscription(ref, prices, account.currency, trialOf(history, atMs));
  await accounts.recordStripeId(account.id, 'subscription', subscription);
  return { ...ref, subscription };
}

/** Throws `rejected` AGREEMENT_INVALID for a trial without an end, which Stripe can't be told of. */
function trialOf({ account, standings }: AgreementHistory, atMs: number): { trialEndAtMs?: number } {
  if (inForceAt(standings, atMs)?.value !== 'trialing') return {};
  const ends = standings.filter(({ effectiveFromMs, value }) => effectiveFromMs > atMs && value !== 'trialing');
  if (ends.length > 0) return { trialEndAtMs: Math.min(...ends.map(({ effectiveFromMs }) => effectiveFromMs)) };
  throw new TrueupError({
    kind: 'rejected',
    code: 'AGREEMENT_INVALID',
    message: `account ${account} is in a trial at ${toIso(atMs)}, and nothing says when it ends`,
    field: 'standings',
    next: 'agree on the standing after the trial, then provision again',
  });
}
