// Drops a month's partitions, and touched-minute marks that have done their work. Dropping what is gone is harmless, so
// a killed drop is repeated.

import { DAY_MS } from '../../domain/period.ts';
import type { ClickHouse } from '../../platform/clickhouse.ts';
import type { CloseDeps } from '../close.ts';
import { QUERIES } from '../queries.ts';

/** Partitioned by month of usage. Hours, days and the closed hours stay for ever: they are small, and they are the bill. */
export const TABLES = ['usage_events_v1', 'usage_minute_v1'] as const;

/** Machine time: marks are made when blocks are stored, whatever month they are about. */
const DIRTY_KEPT_MS = 7 * DAY_MS;

export async function dropPartitions(
  clickhouse: ClickHouse,
  partition: string,
  step: (name: string) => Promise<void>,
): Promise<void> {
  for (const table of TABLES) {
    // A month may be larger than what a server drops by default: its archive has been read back.
    await clickhouse.command(
      `ALTER TABLE ${table} DROP PARTITION ${partition} SETTINGS max_partition_size_to_drop = 0`,
    );
    await step(`dropped ${table}`);
  }
}

/** Marks of blocks that are rolled up are of no more use; a week of them is kept for integrity checks. */
export async function sweepDirty({ clickhouse, db }: CloseDeps): Promise<void> {
  const pending = await db
    .selectFrom('ingest_blocks')
    .select(({ fn }) => fn.min('stored_at').as('stored_at'))
    .where('rolled_up_run', 'is', null)
    .executeTakeFirst();
  const oldestMs = Math.min(Date.now(), pending?.stored_at?.getTime() ?? Date.now());
  const before = new Date(oldestMs - DIRTY_KEPT_MS).toISOString().slice(0, 10).replaceAll('-', '');
  const days = await clickhouse.query<{ partition: string }>(QUERIES.dirtyDays, { before });
  for (const { partition } of days) await clickhouse.command(`ALTER TABLE usage_dirty_v1 DROP PARTITION ${partition}`);
}
