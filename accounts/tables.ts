// The tables this room owns, as Kysely sees them. Nobody outside accounts/ writes them.

import type { JSONColumnType } from 'kysely';
import type { Standing } from '../domain/agreement.ts';

export type StoredTier = { upTo: string | null; unitAmount: string };

export type AccountTables = {
  accounts: { id: string; currency: string; created_at: Date };
  account_plans: { account_id: string; effective_from: Date; plan_id: string };
  contract_prices: {
    account_id: string;
    meter: string;
    effective_from: Date;
    tiers: JSONColumnType<StoredTier[]>;
  };
  contract_fees: { account_id: string; effective_from: Date; minimum_minor: string; basis_points: number };
  account_standings: { account_id: string; effective_from: Date; standing: Standing };
  account_discounts: {
    account_id: string;
    effective_from: Date;
    basis_points: number | null;
    amount_minor: string | null;
  };
  account_taxes: { account_id: string; effective_from: Date; basis_points: number | null };
  account_commitments: { account_id: string; effective_from: Date; minimum_minor: string | null };
  credit_grants: {
    account_id: string;
    id: string;
    amount_minor: string;
    priority: number;
    effective_at: Date;
    expires_at: Date | null;
  };
  credit_uses: { account_id: string; grant_id: string; period: string; amount_minor: string };
  namespaces: { name: string; account_id: string; registered_at: Date };
  stripe_ids: { account_id: string; kind: 'customer' | 'subscription'; stripe_id: string };
};
