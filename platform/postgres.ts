// Postgres through Kysely. Each room declares the tables it owns as a Kysely interface and opens its own typed view of
// the one database. bigint and numeric columns arrive as strings and are converted at the door that reads them.

import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';

export type Postgres<Tables> = Kysely<Tables>;

export function createPostgres<Tables>(url: string, connectionsMax = 8): Kysely<Tables> {
  const pool = new pg.Pool({ connectionString: url, max: connectionsMax, application_name: 'trueup' });
  // An idle connection that breaks (server restart) must not take the process down; the next query reconnects.
  pool.on('error', () => undefined);
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}
