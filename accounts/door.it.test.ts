import { afterEach, beforeEach, expect, test } from 'vitest';
import { METERS } from '../domain/meter.ts';
import { PLANS, type ContractPrice } from '../domain/price-book.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { createFreshDatabases, type FreshDatabases } from '../platform/testing/fresh-databases.ts';
import { createAccounts, type Accounts, type Registration } from './door.ts';
import type { AccountTables } from './tables.ts';

const octoberMs = Date.UTC(2026, 9, 1);
const novemberMs = Date.UTC(2026, 10, 1);
const october = { existingAtMs: novemberMs - 1, termsAtMs: octoberMs };
let databases: FreshDatabases;
let db: Postgres<AccountTables>;
let accounts: Accounts;

beforeEach(async () => {
  databases = await createFreshDatabases('accounts');
  db = createPostgres<AccountTables>(databases.postgresUrl);
  accounts = createAccounts(db);
});
afterEach(async () => {
  await db.destroy();
  await databases.close();
});

const registration = (over: Partial<Registration> = {}): Registration => ({
  id: 'acme',
  currency: 'usd',
  createdAtMs: octoberMs,
  planId: 'business',
  contracts: [],
  namespaces: ['pay.acme'],
  ...over,
});
const contract = (effectiveFromMs: number, meter: ContractPrice['meter'] = 'actions'): ContractPrice => ({
  meter,
  effectiveFromMs,
  tiers: PLANS.developer.prices[meter].tiers,
});

test('a period bills who existed in it, by the terms of its start or of their creation', async () => {
  const createdAtMs = Date.UTC(2026, 9, 20, 9);
  await accounts.register(registration({ contracts: [contract(octoberMs), contract(novemberMs)] }));
  await accounts.register(registration({ id: 'bolt', createdAtMs, contracts: [contract(createdAtMs)] }));
  await accounts.register(registration({ id: 'cove', createdAtMs: novemberMs }));
  const found = await accounts.fetchAccounts(october);
  expect(found.map(({ id, terms }) => [id, terms.planId, terms.prices.actions.id])).toEqual([
    ['acme', 'business', 'actions-contract-acme-2026-10-01'],
    ['bolt', 'business', 'actions-contract-bolt-2026-10-20'],
  ]);
  const next = await accounts.fetchAccount('acme', { existingAtMs: novemberMs, termsAtMs: novemberMs });
  expect(next.terms.prices.actions.id).toBe('actions-contract-acme-2026-11-01');
});

test('terms stay those of the period’s start when a plan changes inside it', async () => {
  await accounts.register(registration());
  const effective_from = new Date(Date.UTC(2026, 9, 15));
  await db.insertInto('account_plans').values({ account_id: 'acme', effective_from, plan_id: 'developer' }).execute();
  expect((await accounts.fetchAccount('acme', october)).terms.planId).toBe('business');
  const next = { existingAtMs: novemberMs, termsAtMs: novemberMs };
  expect((await accounts.fetchAccount('acme', next)).terms.planId).toBe('developer');
});

test('a contract price that starts inside a month is refused, and nothing of the account is registered', async () => {
  const inside = registration({ contracts: [contract(Date.UTC(2026, 9, 15))] });
  await expect(accounts.register(inside)).rejects.toMatchObject({ kind: 'rejected', code: 'CONTRACT_START_INVALID' });
  expect(await accounts.fetchAccounts(october)).toEqual([]);
});

test('registering again cannot move the creation to let a contract price start inside a month', async () => {
  await accounts.register(registration());
  const createdAtMs = Date.UTC(2026, 9, 15);
  const again = registration({ createdAtMs, contracts: [contract(createdAtMs)] });
  await expect(accounts.register(again)).rejects.toMatchObject({ kind: 'rejected', code: 'CONTRACT_START_INVALID' });
  expect((await accounts.fetchAccount('acme', october)).terms.prices.actions.id).toMatch(/^actions-business-/);
});

test('an account in another currency is refused unless every meter has a contract price, and no minimum is guessed', async () => {
  const contracts = METERS.map((meter) => contract(octoberMs, meter));
  const partly = registration({ currency: 'eur', contracts: contracts.slice(1) });
  await expect(accounts.register(partly)).rejects.toMatchObject({
    kind: 'rejected',
    code: 'CURRENCY_UNPRICED',
    next: expect.stringContaining('actions') as string,
  });
  expect(await accounts.fetchAccounts(october)).toEqual([]);
  await expect(accounts.register(registration({ currency: 'eur', contracts }))).rejects.toMatchObject({
    next: expect.stringContaining('a contract fee in eur') as string,
  });
  await accounts.register(registration({ currency: 'eur', contracts, planId: 'developer' }));
  await accounts.register(registration({ currency: 'eur', contracts, planId: 'developer' }));
  expect((await accounts.fetchAccount('acme', october)).currency).toBe('eur');
});
