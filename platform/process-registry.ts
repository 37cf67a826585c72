// Who runs, and on which schema. A process says so at its start and every few seconds, and takes its word back when it stops;
// one that died is no longer seen a little later. Not saying it in time costs nothing but a contract step that is refused
// too late, which is why such a step is a release behind the last use anyway.

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { sql } from 'kysely';
import type { Log } from './log.ts';
import type { Postgres } from './postgres.ts';
import { readSchemaFiles } from './schema-files.ts';

export type ProcessTables = {
  processes: { id: string; name: string; schema_level: number; started_at: Date; seen_at: Date };
};

export type RegisteredProcess = { readonly id: string; readonly name: string; readonly schemaLevel: number };

const SEEN_EVERY_MS = 5_000;
/** Three words missed. */
const ALIVE_SECONDS = 15;

/** Of this checkout; grows with every file. */
export function schemaLevel(): number {
  return readSchemaFiles().length;
}

/** Resolves once it is said, with what takes it back. */
export async function registerProcess(
  db: Postgres<ProcessTables>,
  { name, log, level = schemaLevel() }: { readonly name: string; readonly log: Log; readonly level?: number },
): Promise<() => Promise<void>> {
  const id = `${name}-${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const say = async () =>
    sql`INSERT INTO processes (id, name, schema_level) VALUES (${id}, ${name}, ${level})
        ON CONFLICT (id) DO UPDATE SET seen_at = now()`.execute(db);
  await say();
  const timer = setInterval(() => {
    say().catch((error: unknown) => log.warn({ error: String(error) }, 'this process could not say that it runs'));
  }, SEEN_EVERY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await db.deleteFrom('processes').where('id', '=', id).execute();
  };
}

/** Those that run, ordered. */
export async function fetchProcesses(db: Postgres<ProcessTables>): Promise<RegisteredProcess[]> {
  const rows = await db
    .selectFrom('processes')
    .select(['id', 'name', 'schema_level'])
    .where(sql<boolean>`seen_at > now() - make_interval(secs => ${ALIVE_SECONDS})`)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({ id: row.id, name: row.name, schemaLevel: row.schema_level }));
}
