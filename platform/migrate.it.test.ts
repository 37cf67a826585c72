import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sql } from 'kysely';
import { createClickHouse } from './clickhouse.ts';
import { createLog } from './log.ts';
import { checkSchema, migrate, planMigration, type MigrateOptions } from './migrate.ts';
import { createPostgres, type Postgres } from './postgres.ts';
import { fetchProcesses, registerProcess, schemaLevel, type ProcessTables } from './process-registry.ts';
import { phaseOf, readSchemaFiles, type SchemaFile } from './schema-files.ts';

const log = createLog('test', 'silent');

let admin: Postgres<ProcessTables>;
let db: Postgres<ProcessTables>;
let options: MigrateOptions;
let name: string;

beforeEach(async () => {
  const { TRUEUP_POSTGRES_URL: adminUrl = '', TRUEUP_CLICKHOUSE_URL: clickhouseUrl = '' } = process.env;
  name = `t_migrate_${randomBytes(4).toString('hex')}`;
  admin = createPostgres(adminUrl, 1);
  await sql.raw(`CREATE DATABASE ${name}`).execute(admin);
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  options = { postgresUrl: url.toString(), clickhouseUrl, clickhouseDatabase: name };
  db = createPostgres(options.postgresUrl, 2);
});
afterEach(async () => {
  await db.destroy();
  await admin.destroy();
});

function fileOf(label: string, text: string): SchemaFile {
  return { name: `zz/${label}.postgres.sql`, database: 'postgres', phase: phaseOf(text), text };
}

async function fetchTables(): Promise<string[]> {
  const clickhouse = createClickHouse({ url: options.clickhouseUrl, database: 'default' });
  const rows = await clickhouse.query<{ name: string }>(
    'SELECT name FROM system.tables WHERE database = {name:String} ORDER BY name',
    { name },
  );
  await clickhouse.close();
  return rows.map((row) => row.name);
}

describe('migrating', () => {
  test('two at once take turns: each file is applied by one of them', async () => {
    const [mine, theirs] = await Promise.all([migrate(options), migrate(options)]);
    const names = readSchemaFiles().map((file) => file.name);
    expect([...mine, ...theirs].sort()).toEqual(names.toSorted());
    expect([mine.length, theirs.length].sort((a, b) => a - b)).toEqual([0, names.length]);
    expect(await migrate(options)).toEqual([]);
  });

  test('expands at once and takes away only when told to', async () => {
    const add = fileOf('001_add', 'CREATE TABLE added (id integer);');
    const drop = fileOf('002_drop', '-- phase: contract\nDROP TABLE added;');
    const files = [...readSchemaFiles(), add, drop];
    await migrate(options);
    expect(await migrate({ ...options, files })).toEqual([add.name]);
    await sql`SELECT FROM added`.execute(db);
    // This checkout doesn't know what was added, and can live with it.
    await checkSchema(options);
    const stop = await registerProcess(db, { name: 'ingest', log });
    const refused = migrate({ ...options, files, contract: true });
    await expect(refused).rejects.toMatchObject({
      code: 'SCHEMA_IN_USE',
      message: expect.stringContaining('ingest-') as string,
    });
    await sql`SELECT FROM added`.execute(db);
    await stop();
    expect(await migrate({ ...options, files, contract: true })).toEqual([drop.name]);
    await expect(sql`SELECT FROM added`.execute(db)).rejects.toThrow('added');
    await expect(checkSchema(options)).rejects.toMatchObject({ code: 'SCHEMA_AHEAD' });
  });

  test('a plan changes nothing, and a process that must not migrate says what is missing', async () => {
    const { expand, contract } = await planMigration(options);
    expect(expand.length + contract.length).toBe(readSchemaFiles().length);
    await expect(checkSchema(options)).rejects.toMatchObject({ code: 'SCHEMA_BEHIND' });
    expect(await fetchTables()).toEqual([]);
  });

  test('a file that fails leaves nothing behind, and the ones before it stand', async () => {
    const bad = fileOf('001_bad', 'CREATE TABLE half (id integer); SELECT 1 / 0;');
    await expect(migrate({ ...options, files: [...readSchemaFiles(), bad] })).rejects.toThrow('division by zero');
    await expect(sql`SELECT FROM half`.execute(db)).rejects.toThrow('half');
    await checkSchema(options);
  });

  test('a ClickHouse that was replaced by an empty one gets its tables again', async () => {
    await migrate(options);
    const tables = await fetchTables();
    const clickhouse = createClickHouse({ url: options.clickhouseUrl, database: 'default' });
    await clickhouse.command(`DROP DATABASE ${name} SYNC`);
    await clickhouse.close();
    await expect(checkSchema(options)).rejects.toMatchObject({ code: 'SCHEMA_BEHIND' });
    await migrate(options);
    expect(await fetchTables()).toEqual(tables);
  });
});

describe('a process that runs', () => {
  test('is seen with its schema until it stops; one that is seen no more is forgotten', async () => {
    await migrate(options);
    const stop = await registerProcess(db, { name: 'ingest', log });
    await registerProcess(db, { name: 'old', log, level: 1 });
    expect((await fetchProcesses(db)).map((one) => [one.name, one.schemaLevel])).toEqual([
      ['ingest', schemaLevel()],
      ['old', 1],
    ]);
    await stop();
    await sql`UPDATE processes SET seen_at = now() - interval '1 minute'`.execute(db);
    expect(await fetchProcesses(db)).toEqual([]);
  });
});
