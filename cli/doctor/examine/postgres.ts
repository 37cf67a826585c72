// Postgres: version, rights, business time, clock, and who runs. Reads only.

import { sql } from 'kysely';
import { fetchDatabaseNowMs } from '../../../aggregate/usage.ts';
import type { BusinessClockTables } from '../../../platform/clock.ts';
import { createPostgres, type Postgres } from '../../../platform/postgres.ts';
import { fetchProcesses, schemaLevel, type ProcessTables } from '../../../platform/process-registry.ts';
import type { CommandContext } from '../../command.ts';
import { judgeFact, learn } from '../fact.ts';
import type { Area } from '../finding.ts';
import { judgeBusinessClock, judgeSkew } from '../judge/clock.ts';
import { isLive } from '../judge/configuration.ts';
import { judgePostgresRights, type PostgresRights } from '../judge/postgres-rights.ts';
import { judgeProcesses } from '../judge/processes.ts';
import { judgeVersion } from '../judge/versions.ts';
import { placeOf } from '../secrets.ts';
import { examine } from '../server.ts';
import { readClock } from './read-clock.ts';

type Tables = BusinessClockTables & ProcessTables;

export async function examinePostgres(context: CommandContext): Promise<Area> {
  return examine({
    area: 'postgres',
    variable: 'TRUEUP_POSTGRES_URL',
    open: () => {
      const env = context.env('TRUEUP_POSTGRES_URL', 'TRUEUP_MIGRATE', 'TRUEUP_CLOCK');
      return { env, db: createPostgres<Tables>(env.TRUEUP_POSTGRES_URL, 4) };
    },
    close: async ({ db }) => db.destroy(),
    place: ({ env }) => placeOf(env.TRUEUP_POSTGRES_URL),
    greet: async ({ db }) => sql`SELECT 1`.execute(db),
    checks: ['version', 'rights', 'audit log', 'business clock', 'skew to Postgres', 'running'],
    look: async ({ env, db }) => {
      const live = isLive(context.variables);
      const [version, rights, clock, skew, processes] = await Promise.all([
        learn(async () => sql<{ server_version: string }>`SHOW server_version`.execute(db)),
        learn(async () => fetchRights(db)),
        learn(async () => fetchSimulatedMs(db)),
        learn(async () => readClock(async () => fetchDatabaseNowMs(db))),
        learn(async () => fetchProcesses(db)),
      ]);
      const needs = { live, migrates: env.TRUEUP_MIGRATE === 'yes' };
      return [
        ...judgeFact('version', version, ({ rows }) => [judgeVersion('PostgreSQL', rows[0]?.server_version ?? '')]),
        ...judgeFact('rights', rights, (held) => judgePostgresRights(held, needs)),
        ...judgeFact('business clock', clock, (simulatedMs) => [
          judgeBusinessClock({ mode: env.TRUEUP_CLOCK, simulatedMs, live }),
        ]),
        ...judgeFact('skew to Postgres', skew, (reading) => [judgeSkew('Postgres', reading)]),
        ...judgeFact('running', processes, (running) => judgeProcesses(running, schemaLevel())),
      ];
    },
  });
}

async function fetchSimulatedMs(db: Postgres<Tables>): Promise<number | null> {
  const row = await db.selectFrom('business_clock').select('now').executeTakeFirst();
  return row?.now.getTime() ?? null;
}

type RoleRow = { role: string; superuser: boolean; creates: boolean; counts: boolean | null; owns: boolean | null };

async function fetchRights(db: Postgres<Tables>): Promise<PostgresRights> {
  const [role, tables, triggers] = await Promise.all([
    sql<RoleRow>`
      SELECT current_user AS role, rolsuper AS superuser,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS creates,
        has_sequence_privilege(to_regclass('rollup_runs'), 'USAGE')
          AND has_sequence_privilege(to_regclass('rollup_disturbances'), 'USAGE')
          AND has_sequence_privilege(to_regclass('rollup_disturbances'), 'SELECT') AS counts,
        (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('audit_log')) AS owns
      FROM pg_roles WHERE rolname = current_user`.execute(db),
    sql<{ name: string; letters: string }>`
      SELECT relname AS name, concat(
        CASE WHEN has_table_privilege(oid, 'SELECT') THEN 'r' END,
        CASE WHEN has_table_privilege(oid, 'INSERT') THEN 'a' END,
        CASE WHEN has_any_column_privilege(oid, 'UPDATE') THEN 'w' END,
        CASE WHEN has_table_privilege(oid, 'DELETE') THEN 'd' END,
        CASE WHEN has_table_privilege(oid, 'TRUNCATE') THEN 'T' END) AS letters
      FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = to_regnamespace(current_schema())`.execute(db),
    sql<{ name: string }>`
      SELECT tgname AS name FROM pg_trigger
      WHERE tgrelid = to_regclass('audit_log') AND NOT tgisinternal AND tgenabled IN ('O', 'A')`.execute(db),
  ]);
  const [held] = role.rows;
  if (held === undefined) throw new Error('Postgres does not say which role this is');
  return {
    role: held.role,
    isSuperuser: held.superuser,
    mayCreate: held.creates,
    // Null: there is no such sequence yet.
    mayCountRuns: held.counts ?? true,
    tables: new Map(tables.rows.map(({ name, letters }) => [name, letters])),
    auditTriggers: triggers.rows.map(({ name }) => name),
    ownsAuditLog: held.owns ?? false,
  };
}
