// One migrator for both databases. Every room keeps its numbered files in <room>/schema/NNN_<what>.<database>.sql.
// Applied files are recorded in Postgres with their hash; a file that changed after it was applied is refused.
// Safe to run from any number of processes at once (advisory lock), and again after a crash: ClickHouse files are
// idempotent (CREATE … IF NOT EXISTS), Postgres files run in one transaction with their record.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { sha256 } from '../domain/canonical.ts';
import { TrueupError } from '../domain/contracts/errors.ts';
import { createClickHouse } from './clickhouse.ts';
import { toClusterStatements } from './cluster-ddl.ts';
import { translatePostgres } from './postgres.ts';

/** Rooms in the order in which their tables may refer to each other. */
const ROOMS = ['platform', 'accounts', 'ingest', 'aggregate', 'reconcile'] as const;

export type MigrateOptions = {
  readonly postgresUrl: string;
  readonly clickhouseUrl: string;
  readonly clickhouseDatabase: string;
  /** Lays ClickHouse tables out on this cluster instead of on one server. */
  readonly clickhouseCluster?: string | undefined;
};

export type SchemaFile = { name: string; database: 'clickhouse' | 'postgres'; text: string };

const SCHEMA_NAME = /^(\d{3})_[a-z0-9_]+\.(clickhouse|postgres)\.sql$/;
const LOCK_KEY = 7_215_001;

/** All schema files, rooms in order, numbers ascending within a room. */
export function readSchemaFiles(root = new URL('..', import.meta.url)): SchemaFile[] {
  return ROOMS.flatMap((room) => {
    const folder = new URL(`${room}/schema/`, root);
    const names = readdirSync(fileURLToPath(folder), { withFileTypes: true }).map((entry) => entry.name);
    return names.sort().flatMap((file) => {
      const database = SCHEMA_NAME.exec(file)?.[2];
      if (database !== 'clickhouse' && database !== 'postgres') return [];
      return [{ name: `${room}/${file}`, database, text: readFileSync(new URL(file, folder), 'utf8') }];
    });
  });
}

/** Statements of a ClickHouse file; the engine's HTTP interface takes one at a time. */
export function splitStatements(text: string): string[] {
  return text
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}

/**
 * Brings both databases to the schema of this checkout. Returns the names of the files it applied. Throws `unavailable`
 * while a database is away.
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  return translatePostgres(async () => applyAll(options));
}

async function applyAll(options: MigrateOptions): Promise<string[]> {
  const connection = new pg.Client({ connectionString: options.postgresUrl });
  const bootstrap = createClickHouse({ url: options.clickhouseUrl, database: 'default' });
  const clickhouse = createClickHouse({ url: options.clickhouseUrl, database: options.clickhouseDatabase });
  await connection.connect();
  try {
    await connection.query('SELECT pg_advisory_lock($1)', [LOCK_KEY]);
    await bootstrap.command(`CREATE DATABASE IF NOT EXISTS ${options.clickhouseDatabase}`);
    await connection.query(
      'CREATE TABLE IF NOT EXISTS schema_files (name text, target text, hash text NOT NULL, PRIMARY KEY (name, target))',
    );
    const applied: string[] = [];
    for (const file of readSchemaFiles()) {
      const target = file.database === 'postgres' ? 'postgres' : `clickhouse ${options.clickhouseDatabase}`;
      const run = async () => {
        if (file.database === 'postgres') await connection.query(file.text);
        else for (const statement of toStatements(file.text, options)) await clickhouse.command(statement);
      };
      if (await applyOnce(connection, { file, target, run })) applied.push(file.name);
    }
    return applied;
  } finally {
    await Promise.all([connection.end(), bootstrap.close(), clickhouse.close()]);
  }
}

function toStatements(text: string, { clickhouseCluster: cluster }: MigrateOptions): string[] {
  const statements = splitStatements(text);
  return cluster === undefined ? statements : statements.flatMap((one) => toClusterStatements(one, cluster));
}

type Application = { file: SchemaFile; target: string; run: () => Promise<void> };

async function applyOnce(connection: pg.Client, { file, target, run }: Application): Promise<boolean> {
  const hash = sha256(file.text);
  const known = await connection.query<{ hash: string }>(
    'SELECT hash FROM schema_files WHERE name = $1 AND target = $2',
    [file.name, target],
  );
  const recorded = known.rows[0]?.hash;
  if (recorded === hash) return false;
  if (recorded !== undefined) {
    throw new TrueupError({
      kind: 'bug',
      code: 'SCHEMA_CHANGED',
      message: `${file.name} changed after it was applied`,
      next: 'restore it and put the change into a new file with the next number',
    });
  }
  await connection.query('BEGIN');
  try {
    await run();
    await connection.query('INSERT INTO schema_files (name, target, hash) VALUES ($1, $2, $3)', [
      file.name,
      target,
      hash,
    ]);
    await connection.query('COMMIT');
    return true;
  } catch (error) {
    await connection.query('ROLLBACK');
    throw error;
  }
}
