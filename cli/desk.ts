// What commands about the books work at: the database, business time and the person who acts. Nothing else is opened, so
// they work while the pipeline is down.

import { fetchActor, type PeopleTables } from '../accounts/people.ts';
import { createPrincipals, type PrincipalTables } from '../accounts/principals.ts';
import type { AggregateTables } from '../aggregate/tables.ts';
import type { Actor } from '../domain/contracts/permissions.ts';
import { parseRfc3339 } from '../ingest/rfc3339.ts';
import { createClock, type BusinessClockTables } from '../platform/clock.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import type { ReconcileTables } from '../reconcile/books.ts';
import { UsageError, type CommandContext } from './command.ts';
import { toJson } from './json.ts';

export type DeskTables = ReconcileTables &
  PeopleTables &
  BusinessClockTables &
  Pick<PrincipalTables, 'accounts'> &
  Pick<AggregateTables, 'tenant_pins'>;

export type Desk = {
  readonly db: Postgres<DeskTables>;
  readonly nowMs: number;
  readonly context: CommandContext;
};

export async function withDesk<T>(context: CommandContext, work: (desk: Desk) => Promise<T>): Promise<T> {
  const env = context.env('TRUEUP_POSTGRES_URL', 'TRUEUP_CLOCK');
  const db = createPostgres<DeskTables>(env.TRUEUP_POSTGRES_URL, 2);
  try {
    return await work({ db, nowMs: await createClock(env.TRUEUP_CLOCK, db).now(), context });
  } finally {
    await db.destroy();
  }
}

/** The person named by `--as`, with the roles held now. */
export async function actingAs({ db }: Desk, name: string | undefined): Promise<Actor> {
  if (name === undefined) throw new UsageError('--as names the person who acts: see trueup people list');
  return fetchActor(db, name);
}

/** Throws a usage error for an account that nobody registered. */
export async function requireRegistered({ db }: Desk, account: string): Promise<void> {
  const registered = await createPrincipals(db as unknown as Postgres<PrincipalTables>).fetchRegistered([account]);
  if (!registered.has(account)) throw new UsageError(`account ${account} is not registered`);
}

export function oneOf(positionals: readonly string[], what: string): string {
  const [only, ...rest] = positionals;
  if (only === undefined || rest.length > 0) throw new UsageError(`name ${what}`);
  return only;
}

export function required(value: string | undefined, option: string, what: string): string {
  if (value === undefined || value.trim() === '') throw new UsageError(`${option} ${what}`);
  return value;
}

export function parseInstant(option: string, text: string): number {
  const instant = parseRfc3339(text);
  if (instant === undefined) throw new UsageError(`${option} is an RFC 3339 instant such as 2026-11-05T00:00:00Z`);
  return instant;
}

/** A remark now and then, so that one sees that long work goes on: at every 50th and at the last. */
export function sayProgress(context: CommandContext, what: string): (done: number, total: number) => void {
  return (done, total) => {
    if (done % 50 === 0 || done === total) context.warn(`${done} of ${total} ${what}`);
  };
}

/** As one JSON document with `--json`, else line by line. */
export function answer(
  context: CommandContext,
  json: boolean,
  { value, lines }: { value: unknown; lines: string[] },
): void {
  if (json) context.print(toJson(value));
  else for (const line of lines) context.print(line);
}

/** Columns as wide as their widest cell; the first row is the heading. */
export function toColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
