// The tables this room owns, as Kysely sees them. Nobody outside accounts/ writes them.

import type { JSONColumnType } from 'kysely';

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
  namespaces: { name: string; account_id: string; registered_at: Date };
  stripe_ids: { account_id: string; kind: 'customer' | 'subscription'; stripe_id: string };
};
