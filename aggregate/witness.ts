// The second clock of a close: the database's. It runs on another machine than the close, so that one clock which jumped
// ahead can't take a barrier alone.

import { sql } from 'kysely';
import type { Postgres } from '../platform/postgres.ts';

export async function fetchDatabaseNowMs<Tables>(db: Postgres<Tables>): Promise<number> {
  const { rows } = await sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(db);
  const now = rows[0]?.now;
  // An unknown time must stop a close, not pass as midnight of 1970.
  if (now === undefined) throw new Error('Postgres did not say what time it is');
  return now.getTime();
}
