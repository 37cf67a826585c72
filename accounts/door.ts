// The typed door to accounts: who they are, what they agreed to pay at a time, and what Stripe calls them.
// Registration is idempotent: saying the same thing twice changes nothing.

import { parseDecimal, parseWhole, formatDecimal } from '../domain/decimal.ts';
import { METERS, type MeterName } from '../domain/meter.ts';
import { parseCurrency, type Currency } from '../domain/money.ts';
import {
  checkContractStarts,
  checkPricedInCurrency,
  parsePlanId,
  termsAt,
  type ContractPrice,
  type PlanId,
  type Terms,
  type Tier,
} from '../domain/price-book.ts';
import { invariant } from '../domain/contracts/errors.ts';
import type { Postgres } from '../platform/postgres.ts';
import type { AccountTables, StoredTier } from './tables.ts';

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

export type Accounts = {
  /**
   * Throws `rejected` PERIOD_INVALID for a contract price that starts inside a month, and PLAN_UNKNOWN for an account
   * that would pay list prices in a currency they are not in; nothing is registered then.
   */
  register(registration: Registration): Promise<void>;
  recordStripeId(account: string, kind: StripeKind, stripeId: string): Promise<void>;
  /** Every account created by `existingAtMs`, ordered by id. */
  fetchAccounts(asOf: AsOf): Promise<Account[]>;
  /** Throws `bug` if the account is not registered. */
  fetchAccount(id: string, asOf: AsOf): Promise<Account>;
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
    fetchAccounts: async (asOf) => fetchAccounts(db, asOf),
    fetchAccount: async (id, asOf) => {
      const account = (await fetchAccounts(db, asOf, id))[0];
      invariant(account !== undefined, 'I6', `account ${id} is not registered`);
      return account;
    },
  };
}

async function register(db: Postgres<AccountTables>, { id, ...rest }: Registration): Promise<void> {
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
    await checkTerms(tx, id);
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

/** Of what is stored, not of what was said: an earlier registration may have fixed creation, currency and prices. */
async function checkTerms(tx: Postgres<AccountTables>, id: string): Promise<void> {
  const account = await tx.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
  const stored = await tx.selectFrom('contract_prices').selectAll().where('account_id', '=', id).execute();
  const contracts = stored.map(fromStoredContract);
  const createdAtMs = account.created_at.getTime();
  checkContractStarts(id, contracts, createdAtMs);
  checkPricedInCurrency(id, account.currency, contracts, createdAtMs);
}

async function fetchAccounts(
  db: Postgres<AccountTables>,
  { existingAtMs, termsAtMs }: AsOf,
  id?: string,
): Promise<Account[]> {
  const at = new Date(existingAtMs);
  const accounts = db.selectFrom('accounts').selectAll().where('created_at', '<=', at).orderBy('id');
  const planned = db
    .selectFrom('account_plans')
    .selectAll()
    .where('effective_from', '<=', at)
    .orderBy('effective_from');
  const contracted = db.selectFrom('contract_prices').selectAll();
  const named = db.selectFrom('stripe_ids').selectAll();
  const [rows, plans, contracts, stripeIds] = await Promise.all([
    (id === undefined ? accounts : accounts.where('id', '=', id)).execute(),
    (id === undefined ? planned : planned.where('account_id', '=', id)).execute(),
    (id === undefined ? contracted : contracted.where('account_id', '=', id)).execute(),
    (id === undefined ? named : named.where('account_id', '=', id)).execute(),
  ]);
  const plansOf = Map.groupBy(plans, (plan) => plan.account_id);
  const contractsOf = Map.groupBy(contracts, (contract) => contract.account_id);
  const stripeOf = Map.groupBy(stripeIds, (stripe) => stripe.account_id);
  return rows.map((row) => {
    const createdAtMs = row.created_at.getTime();
    const atMs = Math.max(termsAtMs, createdAtMs);
    const planId = plansOf.get(row.id)?.findLast((plan) => plan.effective_from.getTime() <= atMs)?.plan_id;
    invariant(planId !== undefined, 'I6', `account ${row.id} has no plan`);
    const own = (contractsOf.get(row.id) ?? []).map(fromStoredContract);
    const stripe = (stripeOf.get(row.id) ?? []).map((entry) => [entry.kind, entry.stripe_id] as const);
    return {
      id: row.id,
      currency: parseCurrency(row.currency),
      createdAtMs,
      terms: termsAt(row.id, parsePlanId(planId), own, atMs),
      stripe: Object.fromEntries(stripe),
    };
  });
}

function toStoredTier(tier: Tier): StoredTier {
  return { upTo: tier.upTo === null ? null : tier.upTo.toString(), unitAmount: formatDecimal(tier.unitAmount) };
}

function fromStoredContract(row: { meter: string; effective_from: Date; tiers: StoredTier[] }): ContractPrice {
  const meter = METERS.find((name): name is MeterName => name === row.meter);
  invariant(meter !== undefined, 'I5', `contract price for unknown meter ${row.meter}`);
  return {
    meter,
    effectiveFromMs: row.effective_from.getTime(),
    tiers: row.tiers.map((tier) => ({
      upTo: tier.upTo === null ? null : parseWhole(tier.upTo),
      unitAmount: parseDecimal(tier.unitAmount),
    })),
  };
}
