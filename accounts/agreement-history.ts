// Reads all that accounts ever agreed to, in one statement: one snapshot, so that no half of a registration is seen, and one
// round trip, as every activity of a close asks for it. Agreements of any period are computed from this alone.

import { sql, type RawBuilder } from 'kysely';
import type { AgreementHistory, Effective, Standing } from '../domain/agreement.ts';
import { parseCurrency } from '../domain/money.ts';
import { parsePlanId } from '../domain/price-book.ts';
import type { Postgres } from '../platform/postgres.ts';
import { fromStoredContract } from './stored-tiers.ts';
import type { AccountTables, StoredTier } from './tables.ts';

/** As JSON: instants as ISO 8601, amounts as text because a JSON number would be read as a float. */
type StoredHistory = {
  id: string;
  currency: string;
  created_at: Date;
  plans: { at: string; plan: string }[];
  contracts: { at: string; meter: string; tiers: StoredTier[] }[];
  fees: { at: string; minimum: string; share: string }[];
  standings: { at: string; standing: Standing }[];
  discounts: { at: string; share: string | null; amount: string | null }[];
  taxes: { at: string; share: string | null }[];
  commitments: { at: string; minimum: string | null }[];
  grants: { id: string; amount: string; priority: number; at: string; until: string | null }[];
  uses: { grant: string; period: string; amount: string }[];
};

/** The rows of an account in a table, as a JSON array of the named fields. */
function layer(table: keyof AccountTables, fields: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`(SELECT coalesce(json_agg(json_build_object(${fields})), '[]') FROM ${sql.table(table)} AS l WHERE l.account_id = a.id)`;
}

const SELECT_HISTORIES = sql`
  SELECT a.id, a.currency, a.created_at,
    ${layer('account_plans', sql`'at', l.effective_from, 'plan', l.plan_id`)} AS plans,
    ${layer('contract_prices', sql`'at', l.effective_from, 'meter', l.meter, 'tiers', l.tiers`)} AS contracts,
    ${layer('contract_fees', sql`'at', l.effective_from, 'minimum', l.minimum_minor::text, 'share', l.basis_points::text`)} AS fees,
    ${layer('account_standings', sql`'at', l.effective_from, 'standing', l.standing`)} AS standings,
    ${layer('account_discounts', sql`'at', l.effective_from, 'share', l.basis_points::text, 'amount', l.amount_minor::text`)} AS discounts,
    ${layer('account_taxes', sql`'at', l.effective_from, 'share', l.basis_points::text`)} AS taxes,
    ${layer('account_commitments', sql`'at', l.effective_from, 'minimum', l.minimum_minor::text`)} AS commitments,
    ${layer('credit_grants', sql`'id', l.id, 'amount', l.amount_minor::text, 'priority', l.priority, 'at', l.effective_at, 'until', l.expires_at`)} AS grants,
    ${layer('credit_uses', sql`'grant', l.grant_id, 'period', l.period, 'amount', l.amount_minor::text`)} AS uses
  FROM accounts AS a`;

/** Of the named accounts, or of all; ordered by id. */
export async function fetchHistories(
  db: Postgres<AccountTables>,
  ids?: readonly string[],
): Promise<AgreementHistory[]> {
  const only = ids === undefined ? sql`` : sql`WHERE a.id = ANY(${[...ids]})`;
  const { rows } = await sql<StoredHistory>`${SELECT_HISTORIES} ${only} ORDER BY a.id`.execute(db);
  return rows.map(toHistory);
}

function toHistory(row: StoredHistory): AgreementHistory {
  return {
    account: row.id,
    currency: parseCurrency(row.currency),
    createdAtMs: row.created_at.getTime(),
    plans: dated(row.plans, ({ plan }) => parsePlanId(plan)),
    contracts: row.contracts.map(({ at, ...rest }) => fromStoredContract({ ...rest, effectiveFromMs: Date.parse(at) })),
    fees: row.fees.map(({ at, minimum, share }) => ({
      effectiveFromMs: Date.parse(at),
      minimumMinor: BigInt(minimum),
      basisPoints: BigInt(share),
    })),
    standings: dated(row.standings, ({ standing }) => standing),
    discounts: dated(row.discounts, ({ share, amount }) => {
      if (share !== null) return { kind: 'percent', basisPoints: BigInt(share) };
      return amount === null ? null : { kind: 'amount', amountMinor: BigInt(amount) };
    }),
    taxes: dated(row.taxes, ({ share }) => (share === null ? null : BigInt(share))),
    commitments: dated(row.commitments, ({ minimum }) => (minimum === null ? null : BigInt(minimum))),
    grants: row.grants.map(({ id, amount, priority, at, until }) => ({
      id,
      amountMinor: BigInt(amount),
      priority,
      effectiveAtMs: Date.parse(at),
      expiresAtMs: until === null ? null : Date.parse(until),
    })),
    creditsUsed: row.uses.map(({ grant, period, amount }) => ({ grantId: grant, period, amountMinor: BigInt(amount) })),
  };
}

function dated<Row extends { at: string }, T>(rows: readonly Row[], value: (row: Row) => T): Effective<T>[] {
  return rows.map((row) => ({ effectiveFromMs: Date.parse(row.at), value: value(row) }));
}
