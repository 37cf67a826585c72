// Writes what accounts agree to. An entry holds from its instant on and is never changed: saying it again does nothing, saying
// something else for the same instant is refused, so that an agreement computed once is computed the same ever after.
// Everything of one call is stored, or nothing.

import { sql } from 'kysely';
import type { AgreementHistory, Effective } from '../domain/agreement.ts';
import { TrueupError, invariant } from '../domain/contracts/errors.ts';
import type { CreditUse } from '../domain/credits.ts';
import { HOUR_MS, toIso, type Period } from '../domain/period.ts';
import { agreedTermsAt, inForceAt } from '../domain/price-book-terms.ts';
import type { Postgres } from '../platform/postgres.ts';
import { fetchHistories } from './agreement-history.ts';
import { toStoredTier } from './stored-tiers.ts';
import type { AccountTables } from './tables.ts';

type Parts = Pick<
  AgreementHistory,
  'plans' | 'contracts' | 'fees' | 'standings' | 'discounts' | 'taxes' | 'commitments' | 'grants'
>;

/** What is newly agreed, for an account that is registered. Changes may begin inside a month. */
export type AgreementChanges = { readonly account: string } & Partial<Parts>;

type Db = Postgres<AccountTables>;
/** A row as JSON, which Postgres reads into the table's own types. */
type Row = Readonly<Record<string, unknown>>;

/**
 * Throws `conflict` AGREEMENT_CHANGED for an instant at which something else was agreed already, `rejected` AGREEMENT_INVALID
 * for amounts and times that make no sense, and CURRENCY_UNPRICED where the account's currency has no price or minimum.
 */
export async function registerAgreement(db: Db, { account, ...parts }: AgreementChanges): Promise<void> {
  checkAmounts(account, parts);
  await db.transaction().execute(async (tx) => {
    await lockAccount(tx, account);
    for (const [table, rows] of toRows(parts)) await insertAgreed(tx, account, table, rows);
    const history = (await fetchHistories(tx, [account]))[0];
    invariant(history !== undefined, 'I6', `account ${account} vanished while it was locked`);
    checkTerms(history);
  });
}

/** One writer per account at a time. */
async function lockAccount(tx: Db, account: string): Promise<void> {
  const row = await tx.selectFrom('accounts').select('id').where('id', '=', account).forUpdate().executeTakeFirst();
  if (row !== undefined) return;
  throw new TrueupError({
    kind: 'rejected',
    code: 'AGREEMENT_INVALID',
    message: `account ${account} is not registered`,
    field: 'account',
    next: 'register it first',
  });
}

/** Replaces what the invoice of a period took from the account's grants. */
export async function recordCreditUse(
  db: Db,
  account: string,
  period: Period,
  uses: CreditUse['perGrant'],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await lockAccount(tx, account);
    await tx.deleteFrom('credit_uses').where('account_id', '=', account).where('period', '=', period.key).execute();
    if (uses.length === 0) return;
    const rows = uses.map(({ grantId, amountMinor }) => ({
      account_id: account,
      grant_id: grantId,
      period: period.key,
      amount_minor: amountMinor.toString(),
    }));
    await tx.insertInto('credit_uses').values(rows).execute();
    const history = (await fetchHistories(tx, [account]))[0];
    for (const { id, amountMinor } of history?.grants ?? []) {
      const used = (history?.creditsUsed ?? []).filter(({ grantId }) => grantId === id);
      const usedMinor = used.reduce((sum, use) => sum + use.amountMinor, 0n);
      invariant(usedMinor <= amountMinor, 'I5', `grant ${id} of ${account} paid ${usedMinor} of its ${amountMinor}`);
    }
  });
}

type Table = keyof AccountTables;

function toRows(parts: Partial<Parts>): [Table, Row[]][] {
  const dated = <T>(entries: readonly Effective<T>[] | undefined, columns: (value: T) => Row): Row[] =>
    (entries ?? []).map(({ effectiveFromMs, value }) => ({
      effective_from: toIso(effectiveFromMs),
      ...columns(value),
    }));
  const text = (amount: bigint | null) => amount?.toString() ?? null;
  return [
    ['account_plans', dated(parts.plans, (plan_id) => ({ plan_id }))],
    [
      'contract_prices',
      (parts.contracts ?? []).map(({ meter, effectiveFromMs, tiers }) => ({
        effective_from: toIso(effectiveFromMs),
        meter,
        tiers: tiers.map(toStoredTier),
      })),
    ],
    [
      'contract_fees',
      (parts.fees ?? []).map(({ effectiveFromMs, minimumMinor, basisPoints }) => ({
        effective_from: toIso(effectiveFromMs),
        minimum_minor: text(minimumMinor),
        basis_points: text(basisPoints),
      })),
    ],
    ['account_standings', dated(parts.standings, (standing) => ({ standing }))],
    [
      'account_discounts',
      dated(parts.discounts, (discount) => ({
        basis_points: discount?.kind === 'percent' ? text(discount.basisPoints) : null,
        amount_minor: discount?.kind === 'amount' ? text(discount.amountMinor) : null,
      })),
    ],
    ['account_taxes', dated(parts.taxes, (rate) => ({ basis_points: text(rate) }))],
    ['account_commitments', dated(parts.commitments, (minimum) => ({ minimum_minor: text(minimum) }))],
    [
      'credit_grants',
      (parts.grants ?? []).map(({ id, amountMinor, priority, effectiveAtMs, expiresAtMs }) => ({
        id,
        amount_minor: text(amountMinor),
        priority,
        effective_at: toIso(effectiveAtMs),
        expires_at: expiresAtMs === null ? null : toIso(expiresAtMs),
      })),
    ],
  ];
}

/** Inserts rows; one that is there with the same content counts as inserted, one with other content does not. */
async function insertAgreed(tx: Db, account: string, table: Table, rows: readonly Row[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const target = sql.table(table);
  const columns = Object.keys(first);
  const same = columns.map((column) => sql`agreed.${sql.ref(column)} IS NOT DISTINCT FROM said.${sql.ref(column)}`);
  const said = sql`jsonb_populate_recordset(NULL::${target}, ${JSON.stringify(
    rows.map((row) => ({ account_id: account, ...row })),
  )}::jsonb)`;
  // Named, so that a column which a newer release added keeps its default.
  const named = sql.join(['account_id', ...columns].map((column) => sql.ref(column)));
  await sql`INSERT INTO ${target} (${named}) SELECT ${named} FROM ${said} ON CONFLICT DO NOTHING`.execute(tx);
  const { rows: missing } = await sql<Row>`SELECT said.* FROM ${said} AS said WHERE NOT EXISTS (
    SELECT FROM ${target} AS agreed WHERE agreed.account_id = said.account_id AND ${sql.join(same, sql` AND `)}
  )`.execute(tx);
  const [other] = missing;
  if (other === undefined) return;
  const { account_id: _, ...content } = other;
  throw new TrueupError({
    kind: 'conflict',
    code: 'AGREEMENT_CHANGED',
    message: `account ${account} has already agreed to something else than ${JSON.stringify(content)} in ${table}`,
    field: table,
    next: 'let the change begin at another instant; what was agreed before stays',
  });
}

/** From the first day on there must be a price and a fee for everything, whatever changes later. */
function checkTerms(history: AgreementHistory): void {
  const changes = [...history.plans, ...history.contracts, ...history.fees];
  for (const { effectiveFromMs } of [{ effectiveFromMs: history.createdAtMs }, ...changes]) {
    const atMs = Math.max(effectiveFromMs, history.createdAtMs);
    const plan = inForceAt(history.plans, atMs);
    invariant(plan !== undefined, 'I6', `account ${history.account} has no plan at ${toIso(atMs)}`);
    agreedTermsAt(history, plan.value, atMs);
  }
}

/** Limits that the tables hold too; here they are said in words. */
function checkAmounts(account: string, parts: Partial<Parts>): void {
  const check = (field: keyof Parts, holds: boolean, rule: string) => {
    if (holds) return;
    throw new TrueupError({
      kind: 'rejected',
      code: 'AGREEMENT_INVALID',
      message: `an entry of ${field} for ${account} can't be agreed`,
      field,
      next: rule,
    });
  };
  // Usage is known by the hour: a change inside one could not be told apart by anybody.
  for (const field of ['plans', 'contracts', 'standings'] as const) {
    for (const { effectiveFromMs } of parts[field] ?? []) {
      check(field, effectiveFromMs % HOUR_MS === 0, `${toIso(effectiveFromMs)} is no full hour (UTC)`);
    }
  }
  for (const fee of parts.fees ?? []) {
    check('fees', fee.minimumMinor >= 0n && fee.basisPoints >= 0n, 'neither minimum nor share may be negative');
  }
  for (const { value } of parts.discounts ?? []) {
    if (value?.kind === 'percent') {
      check('discounts', value.basisPoints >= 0n && value.basisPoints <= 10_000n, 'use 0 to 10000 basis points');
    }
    if (value?.kind === 'amount') check('discounts', value.amountMinor >= 0n, 'the amount may not be negative');
  }
  for (const { value } of parts.taxes ?? [])
    check('taxes', value === null || value >= 0n, 'the rate may not be negative');
  for (const { value } of parts.commitments ?? []) {
    check('commitments', value === null || value >= 0n, 'the minimum may not be negative');
  }
  for (const grant of parts.grants ?? []) {
    check('grants', grant.amountMinor > 0n, 'the amount must be positive');
    check(
      'grants',
      Number.isInteger(grant.priority) && grant.priority >= 0 && grant.priority <= 100,
      'use priority 0 to 100',
    );
    check(
      'grants',
      grant.expiresAtMs === null || grant.expiresAtMs > grant.effectiveAtMs,
      'it must begin before it expires',
    );
  }
}
