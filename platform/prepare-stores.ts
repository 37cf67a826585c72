// Before a stage touches its stores: their schema is one it can work on, they belong together and to the topic it is given. In development a stage
// brings the schema itself; with TRUEUP_MIGRATE=no, as in production, "trueup migrate" does so ahead of it.

import type { ClickHouse } from './clickhouse.ts';
import { checkLogLayout } from './log-layout.ts';
import { checkSchema, migrate, type MigrateOptions } from './migrate.ts';
import { createPostgres } from './postgres.ts';
import { checkStoresAgree, type FencedTables } from './store-fence.ts';

export type Preparation = MigrateOptions & {
  readonly migrates: boolean;
  readonly clickhouse: ClickHouse;
  readonly topic: string;
};

/** Throws `unavailable` while a server is away, and what checkSchema, checkLogLayout and checkStoresAgree throw. */
export async function prepareStores({ migrates, clickhouse, topic, ...options }: Preparation): Promise<void> {
  if (migrates) await migrate(options);
  await checkSchema(options);
  const db = createPostgres<FencedTables>(options.postgresUrl, 1);
  try {
    await checkLogLayout(db, { topic });
    await checkStoresAgree({ clickhouse, db, topic });
  } finally {
    await db.destroy();
  }
}
