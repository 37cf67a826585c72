// The typed door to accounts: who they are, what they agreed to pay at a time, and what Stripe calls them.
// Registration is idempotent: saying the same thing twice changes nothing.

import { computeAgreement, type Agreement, type AgreementHistory } from '../domain/agreement.ts';
import { invariant } from '../domain/contracts/errors.ts';
import type { CreditUse } from '../domain/credits.ts';
import type { Currency } from '../domain/money.ts';
import type { Period } from '../domain/period.ts';
import { agreedTermsAt, inForceAt } from '../domain/price-book-terms.ts';
import { checkContractStarts, type ContractPrice, type PlanId, type Terms } from '../domain/price-book.ts';
import type { Postgres } from '../platform/postgres.ts';
import { fetchHistories } from './agreement-history.ts';
import { recordCreditUse, registerAgreement, type AgreementChanges } from './agreements.ts';
import { toStoredTier } from './stored-tiers.ts';
import type { AccountTables } from './tables.ts';

export type StripeKind = 'customer' | 'subscription';

export type Account = {
  readonly id: string;
  readonly currency: Currency;
  readonly createdAtMs: number;
  /** Terms in force at `termsAtMs` of the fetch, or at the account's creation if that is later. */
  readonly terms: Terms;
  readonly stripe: Readonly<Partial<Record<StripeKind, string>>>;
};

export type Registration = {
  readonly id: string;
  readonly currency: Currency;
  readonly createdAtMs: number;
  readonly planId: PlanId;
  readonly contracts: readonly ContractPrice[];
  readonly namespaces: readonly string[];
};

/** Who belongs, and when their terms are read: a period bills everybody who existed in it by the terms of its start. */
export type AsOf = { readonly existingAtMs: number; readonly termsAtMs: number };

export type AccountPage = { readonly existingAtMs: number; readonly after: string | null; readonly limit: number };

export type Accounts = {
  /**
   * Throws `rejected` CONTRACT_START_INVALID for a contract price that starts inside a month, CURRENCY_UNPRICED for an account
   * that would pay list prices in a currency they are not in; nothing is registered then.
   */
  register(registration: Registration): Promise<void>;
  recordStripeId(account: string, kind: StripeKind, stripeId: string): Promise<void>;
  /** Every account, or those named, created by `existingAtMs`; ordered by id. */
  fetchAccounts(asOf: AsOf, ids?: readonly string[]): Promise<Account[]>;
  /** Up to `limit` names behind `after`, in order, of accounts created by `existingAtMs`. */
  fetchAccountIds(page: AccountPage): Promise<string[]>;
  /** When the first account was created; null while there is none. */
  fetchFirstCreatedAtMs(): Promise<number | null>;
  /** Throws `bug` if the account is not registered. */
  fetchAccount(id: string, asOf: AsOf): Promise<Account>;
  /** Adds to what a registered account agreed to; plans and prices may change inside a month. See agreements.ts. */
  registerAgreement(changes: AgreementChanges): Promise<void>;
  /** Throws `bug` if the account is not registered. */
  fetchAgreement(account: string, period: Period): Promise<Agreement>;
  /** Of every account, or of those named, that existed before the period's end; ordered by account. */
  fetchAgreements(period: Period, ids?: readonly string[]): Promise<Agreement[]>;
  /** All that was ever agreed and all credit ever used, ordered by account. */
  fetchHistories(): Promise<AgreementHistory[]>;
  /** Replaces what the account's invoice of a period took from its grants. */
  recordCreditUse(account: string, period: Period, uses: CreditUse['perGrant']): Promise<void>;
};

export function createAccounts(db: Postgres<AccountTables>): Accounts {
  return {
    register: async (registration) => register(db, registration),
    recordStripeId: async (account_id, kind, stripe_id) => {
      await db
        .insertInto('stripe_ids')
        .values({ account_id, kind, stripe_id })
        .onConflict((conflict) => conflict.columns(['account_id', 'kind']).doUpdateSet({ stripe_id }))
        .execute();
    },
    fetchAccounts: async (asOf, ids) => fetchAccounts(db, asOf, ids),
    fetchAccountIds: async (page) => fetchAccountIds(db, page),
    fetchFirstCreatedAtMs: async () => {
      const row = await db
        .selectFrom('accounts')
        .select(({ fn }) => fn.min('created_at').as('first'))
        .executeTakeFirst();
      return row?.first?.getTime() ?? null;
    },
    fetchAccount: async (id, asOf) => {
      const account = (await fetchAccounts(db, asOf, [id]))[0];
      invariant(account !== undefined, 'I6', `account ${id} is not registered`);
      return account;
    },
    registerAgreement: async (changes) => registerAgreement(db, changes),
    fetchAgreement: async (id, period) => fetchAgreement(db, id, period),
    fetchAgreements: async (period, ids) => fetchAgreements(db, period, ids),
    fetchHistories: async () => fetchHistories(db),
    recordCreditUse: async (id, period, uses) => recordCreditUse(db, id, period, uses),
  };
}

async function register(db: Postgres<AccountTables>, registration: Registration): Promise<void> {
  const { id, ...rest } = registration;
  const createdAt = new Date(rest.createdAtMs);
  await db.transaction().execute(async (tx) => {
    const account = { id, currency: rest.currency, created_at: createdAt };
    await tx
      .insertInto('accounts')
      .values(account)
      .onConflict((c) => c.doNothing())
      .execute();
    await tx
      .insertInto('account_plans')
      .values({ account_id: id, effective_from: createdAt, plan_id: rest.planId })
      .onConflict((c) => c.doNothing())
      .execute();
    if (rest.contracts.length > 0) {
      const contracts = rest.contracts.map((contract) => ({
        account_id: id,
        meter: contract.meter,
        effective_from: new Date(contract.effectiveFromMs),
        tiers: JSON.stringify(contract.tiers.map(toStoredTier)),
      }));
      await tx
        .insertInto('contract_prices')
        .values(contracts)
        .onConflict((c) => c.doNothing())
        .execute();
    }
    await checkTerms(tx, registration);
    if (rest.namespaces.length > 0) {
      const rows = rest.namespaces.map((name) => ({ name, account_id: id, registered_at: createdAt }));
      await tx
        .insertInto('namespaces')
        .values(rows)
        .onConflict((c) => c.doNothing())
        .execute();
    }
  });
}

/**
 * By what is stored: an earlier registration may have fixed creation and currency. What is said here is billed by the terms
 * of a period's start; prices that start inside a month are agreed through registerAgreement.
 */
async function checkTerms(tx: Postgres<AccountTables>, { id, contracts }: Registration): Promise<void> {
  const history = (await fetchHistories(tx, [id]))[0];
  invariant(history !== undefined, 'I6', `account ${id} was not stored`);
  checkContractStarts(id, contracts, history.createdAtMs);
  termsOf(history, history.createdAtMs);
}

function termsOf(history: AgreementHistory, atMs: number): Terms {
  const plan = inForceAt(history.plans, atMs);
  invariant(plan !== undefined, 'I6', `account ${history.account} has no plan`);
  return agreedTermsAt(history, plan.value, atMs);
}

async function fetchAccounts(
  db: Postgres<AccountTables>,
  { existingAtMs, termsAtMs }: AsOf,
  ids?: readonly string[],
): Promise<Account[]> {
  const named = db.selectFrom('stripe_ids').selectAll();
  const [histories, stripeIds] = await Promise.all([
    fetchHistories(db, ids),
    (ids === undefined ? named : named.where('account_id', 'in', [...ids])).execute(),
  ]);
  const stripeOf = Map.groupBy(stripeIds, (stripe) => stripe.account_id);
  return histories
    .filter(({ createdAtMs }) => createdAtMs <= existingAtMs)
    .map((history) => {
      const stripe = (stripeOf.get(history.account) ?? []).map((entry) => [entry.kind, entry.stripe_id] as const);
      return {
        id: history.account,
        currency: history.currency,
        createdAtMs: history.createdAtMs,
        terms: termsOf(history, Math.max(termsAtMs, history.createdAtMs)),
        stripe: Object.fromEntries(stripe),
      };
    });
}

async function fetchAccountIds(
  db: Postgres<AccountTables>,
  { existingAtMs, after, limit }: AccountPage,
): Promise<string[]> {
  let query = db.selectFrom('accounts').select('id').where('created_at', '<=', new Date(existingAtMs));
  if (after !== null) query = query.where('id', '>', after);
  return (await query.orderBy('id').limit(limit).execute()).map(({ id }) => id);
}

async function fetchAgreement(db: Postgres<AccountTables>, id: string, period: Period): Promise<Agreement> {
  const history = (await fetchHistories(db, [id]))[0];
  invariant(history !== undefined, 'I6', `account ${id} is not registered`);
  return computeAgreement(history, period);
}

async function fetchAgreements(
  db: Postgres<AccountTables>,
  period: Period,
  ids?: readonly string[],
): Promise<Agreement[]> {
  const histories = await fetchHistories(db, ids);
  return histories
    .filter(({ createdAtMs }) => createdAtMs < period.endAtMs)
    .map((history) => computeAgreement(history, period));
}
