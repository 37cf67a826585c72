// One migrator for both databases. Applied files are recorded in Postgres with their hash and phase; a file that changed
// after it was applied is refused. By default it only expands: what it adds, the release before can live with.
// Safe to run from any number of processes at once (advisory lock), and again after a crash: ClickHouse files are
// idempotent (CREATE … IF NOT EXISTS), Postgres files run in one transaction with their record.

import pg from 'pg';
import { sha256 } from '../domain/canonical.ts';
import { TrueupError } from '../domain/contracts/errors.ts';
import { createClickHouse, type ClickHouse } from './clickhouse.ts';
import { toClusterStatements } from './cluster-ddl.ts';
import { createPostgres, translatePostgres } from './postgres.ts';
import { fetchProcesses, type ProcessTables } from './process-registry.ts';
import { readSchemaFiles, splitStatements, type SchemaFile } from './schema-files.ts';
import { checkUsable, computeSchemaPlan, type AppliedFile, type SchemaPlan } from './schema-plan.ts';

export type MigrateOptions = {
  readonly postgresUrl: string;
  readonly clickhouseUrl: string;
  readonly clickhouseDatabase: string;
  /** Lays ClickHouse tables out on this cluster instead of on one server. */
  readonly clickhouseCluster?: string | undefined;
  /** Take away, too, what no release uses any more; `despite older` processes that are known to be dead. */
  readonly contract?: boolean | 'despite older';
  /** The checkout's own, unless given. */
  readonly files?: readonly SchemaFile[];
};

const LOCK_KEY = 7_215_001;

const RECORDS = `
  CREATE TABLE IF NOT EXISTS schema_files (name text, target text, hash text NOT NULL, PRIMARY KEY (name, target));
  ALTER TABLE schema_files ADD COLUMN IF NOT EXISTS phase text NOT NULL DEFAULT 'expand';
  ALTER TABLE schema_files ADD COLUMN IF NOT EXISTS applied_at timestamptz DEFAULT now()`;

/**
 * Brings both databases to the schema of this checkout. Returns the names of the files it applied. Throws `unavailable`
 * while a database is away, `bug` SCHEMA_CHANGED before anything is applied, `conflict` SCHEMA_IN_USE before anything is taken
 * away while a process runs that was built for an older schema.
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  return withDatabases(options, async (databases) => {
    await databases.postgres.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
    await databases.bootstrap.command(`CREATE DATABASE IF NOT EXISTS ${options.clickhouseDatabase}`);
    await databases.postgres.query(RECORDS);
    await forgetLostTables(databases, options);
    const plan = computeSchemaPlan(filesOf(options), await fetchApplied(databases.postgres, options));
    for (const file of plan.expand) await apply(databases, options, file);
    const contract = (options.contract ?? false) === false ? [] : plan.contract;
    if (contract.length > 0 && options.contract !== 'despite older') await checkUnused(options);
    for (const file of contract) await apply(databases, options, file);
    return [...plan.expand, ...contract].map(({ name }) => name);
  });
}

/** What `migrate` would find to do. Changes nothing; on databases that were never migrated, everything waits. */
export async function planMigration(options: MigrateOptions): Promise<SchemaPlan> {
  return withDatabases(options, async ({ postgres, bootstrap }) => {
    const found = await postgres.query<{ known: boolean }>(`SELECT to_regclass('schema_files') IS NOT NULL AS known`);
    const recorded = found.rows[0]?.known === true ? await fetchApplied(postgres, options) : [];
    const lost = (await countTables(bootstrap, options)) === 0;
    const stands = ({ name }: AppliedFile) => !lost || !name.endsWith('.clickhouse.sql');
    return computeSchemaPlan(filesOf(options), recorded.filter(stands));
  });
}

/** For a process that must not change the schema: throws what `checkUsable` throws. */
export async function checkSchema(options: MigrateOptions): Promise<void> {
  checkUsable(await planMigration(options));
}

async function checkUnused(options: MigrateOptions): Promise<void> {
  const level = filesOf(options).length;
  const db = createPostgres<ProcessTables>(options.postgresUrl, 1);
  try {
    const older = (await fetchProcesses(db)).filter(({ schemaLevel }) => schemaLevel < level);
    if (older.length === 0) return;
    throw new TrueupError({
      kind: 'conflict',
      code: 'SCHEMA_IN_USE',
      message: `built for an older schema, ${older.map(({ id }) => id).join(', ')} still run`,
      next: 'replace them by this release first; nothing was taken away',
    });
  } finally {
    await db.destroy();
  }
}

type Databases = { readonly postgres: pg.Client; readonly bootstrap: ClickHouse; readonly clickhouse: ClickHouse };

async function withDatabases<T>(options: MigrateOptions, work: (databases: Databases) => Promise<T>): Promise<T> {
  return translatePostgres(async () => {
    const postgres = new pg.Client({ connectionString: options.postgresUrl });
    const bootstrap = createClickHouse({ url: options.clickhouseUrl, database: 'default' });
    const clickhouse = createClickHouse({ url: options.clickhouseUrl, database: options.clickhouseDatabase });
    await postgres.connect();
    try {
      return await work({ postgres, bootstrap, clickhouse });
    } finally {
      await Promise.all([postgres.end(), bootstrap.close(), clickhouse.close()]);
    }
  });
}

function filesOf({ files }: MigrateOptions): readonly SchemaFile[] {
  return files ?? readSchemaFiles();
}

function targetOf(database: SchemaFile['database'], { clickhouseDatabase }: MigrateOptions): string {
  return database === 'postgres' ? 'postgres' : `clickhouse ${clickhouseDatabase}`;
}

async function fetchApplied(postgres: pg.Client, options: MigrateOptions): Promise<AppliedFile[]> {
  // Records of before the phase was kept were made by files that expand.
  const { rows } = await postgres.query<{ name: string; hash: string; phase: string | null }>(
    `SELECT name, hash, to_jsonb(one) ->> 'phase' AS phase FROM schema_files AS one WHERE target = ANY($1) ORDER BY name`,
    [[targetOf('postgres', options), targetOf('clickhouse', options)]],
  );
  return rows.map(({ name, hash, phase }) => ({ name, hash, phase: phase === 'contract' ? phase : 'expand' }));
}

async function countTables(clickhouse: ClickHouse, { clickhouseDatabase }: MigrateOptions): Promise<number> {
  const rows = await clickhouse.query<{ tables: string }>(
    'SELECT toString(count()) AS tables FROM system.tables WHERE database = {name:String}',
    { name: clickhouseDatabase },
  );
  return Number(rows[0]?.tables);
}

/** A ClickHouse that was replaced by an empty one gets all of its tables again. */
async function forgetLostTables({ postgres, bootstrap }: Databases, options: MigrateOptions): Promise<void> {
  if ((await countTables(bootstrap, options)) > 0) return;
  await postgres.query('DELETE FROM schema_files WHERE target = $1', [targetOf('clickhouse', options)]);
}

async function apply({ postgres, clickhouse }: Databases, options: MigrateOptions, file: SchemaFile): Promise<void> {
  await postgres.query('BEGIN');
  try {
    if (file.database === 'postgres') await postgres.query(file.text);
    else for (const statement of toStatements(file.text, options)) await clickhouse.command(statement);
    await postgres.query('INSERT INTO schema_files (name, target, hash, phase) VALUES ($1, $2, $3, $4)', [
      file.name,
      targetOf(file.database, options),
      sha256(file.text),
      file.phase,
    ]);
    await postgres.query('COMMIT');
  } catch (error) {
    await postgres.query('ROLLBACK');
    throw error;
  }
}

function toStatements(text: string, { clickhouseCluster: cluster }: MigrateOptions): string[] {
  const statements = splitStatements(text);
  return cluster === undefined ? statements : statements.flatMap((one) => toClusterStatements(one, cluster));
}
