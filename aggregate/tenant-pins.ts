// Tenants that keep a series of their own in metrics whatever they use. Pins are rows; nothing else remembers them.

import type { Postgres } from '../platform/postgres.ts';
import type { AggregateTables } from './tables.ts';

export type TenantPin = {
  readonly account: string;
  readonly reason: string;
  readonly pinnedBy: string;
  /** Business time. */
  readonly pinnedAtMs: number;
};

type PinsDb = Postgres<Pick<AggregateTables, 'tenant_pins'>>;

/** Oldest first: the order in which they take places. */
export async function fetchPins(db: PinsDb): Promise<TenantPin[]> {
  const rows = await db.selectFrom('tenant_pins').selectAll().orderBy('pinned_at').orderBy('account').execute();
  return rows.map(({ account, reason, pinned_by: pinnedBy, pinned_at: at }) => ({
    account,
    reason,
    pinnedBy,
    pinnedAtMs: at.getTime(),
  }));
}

/** A pin that stands already stays as it is. Whether there is room is decided by who calls, in the same transaction. */
export async function insertPin(db: PinsDb, { account, reason, pinnedBy, pinnedAtMs }: TenantPin): Promise<void> {
  await db
    .insertInto('tenant_pins')
    .values({ account, reason, pinned_by: pinnedBy, pinned_at: new Date(pinnedAtMs) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** False when it was not pinned. */
export async function deletePin(db: PinsDb, account: string): Promise<boolean> {
  const rows = await db.deleteFrom('tenant_pins').where('account', '=', account).returning('account').execute();
  return rows.length > 0;
}
