// A rollup worker's part of the shards, as rows of rollup_shards that it leases (shards.ts says by which rules).
// When it dies: its leases end, and whoever looks next takes them over.

import { sql, type Transaction } from 'kysely';
import type { Postgres } from '../platform/postgres.ts';
import { computeHoldings, type Shard, type ShardRow } from './shards.ts';
import type { AggregateTables } from './tables.ts';

export type ShardLeases = {
  /** Renews, takes over what is free, hands over what a worker with fewer wants; resolves with what is owned now. */
  hold(): Promise<readonly Shard[]>;
  /** Gives back everything at once. */
  release(): Promise<void>;
};

/** `me` names the process. When workers are started with different numbers of shards, the last start decides for all. */
export async function openShardLeases(
  db: Postgres<AggregateTables>,
  { me, shards }: { readonly me: string; readonly shards: number },
): Promise<ShardLeases> {
  await db.transaction().execute(async (transaction) => {
    if ((await lockRows(transaction)).rows.length === shards) return;
    await transaction.deleteFrom('rollup_shards').execute();
    const rows = Array.from({ length: shards }, (_, shard) => {
      return { shard, owner: null, leased_until: null, wanted_by: null };
    });
    await transaction.insertInto('rollup_shards').values(rows).execute();
  });
  return {
    hold: async () =>
      db.transaction().execute(async (transaction) => {
        const { rows, nowMs } = await lockRows(transaction);
        const held = computeHoldings(rows, me, nowMs);
        for (const [index, row] of held.entries()) if (row !== rows[index]) await update(transaction, row);
        return held.filter(({ owner }) => owner === me).map(({ shard }) => ({ shard, shards: held.length }));
      }),
    release: async () => {
      const nobody = { owner: null, leased_until: null };
      await db.updateTable('rollup_shards').set(nobody).where('owner', '=', me).execute();
    },
  };
}

/**
 * All rows, in one order for everybody, so that two looks can't wait for each other; and when, by the database's clock:
 * those of workers may differ.
 */
async function lockRows(transaction: Transaction<AggregateTables>): Promise<{ rows: ShardRow[]; nowMs: number }> {
  const found = await transaction
    .selectFrom('rollup_shards')
    .select(['shard', 'owner', 'leased_until', 'wanted_by', sql<Date>`clock_timestamp()`.as('now')])
    .orderBy('shard')
    .forUpdate()
    .execute();
  const rows = found.map(({ shard, owner, leased_until: until, wanted_by: wantedBy }) => {
    return { shard, owner, leasedUntilMs: until?.getTime() ?? null, wantedBy };
  });
  return { rows, nowMs: Math.max(0, ...found.map(({ now }) => now.getTime())) };
}

async function update(transaction: Transaction<AggregateTables>, row: ShardRow): Promise<void> {
  const leased = row.leasedUntilMs === null ? null : new Date(row.leasedUntilMs);
  await transaction
    .updateTable('rollup_shards')
    .set({ owner: row.owner, leased_until: leased, wanted_by: row.wantedBy })
    .where('shard', '=', row.shard)
    .execute();
}
