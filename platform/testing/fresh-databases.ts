// For integration tests: a Postgres and a ClickHouse database of their own, migrated, on the servers of the test stack.
// They are left behind when a test fails, so that one can look; the stack's data goes with the stack.

import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { createClickHouse, type ClickHouse } from '../clickhouse.ts';
import { migrate } from '../migrate.ts';

export type FreshDatabases = {
  readonly name: string;
  readonly postgresUrl: string;
  readonly clickhouseUrl: string;
  readonly clickhouse: ClickHouse;
  /** For a process that works on them. */
  readonly variables: { readonly TRUEUP_POSTGRES_URL: string; readonly TRUEUP_CLICKHOUSE_DATABASE: string };
  close(): Promise<void>;
};

/** Throws if the test stack isn't up: a missing server fails a test, it never skips it. */
export async function createFreshDatabases(label: string): Promise<FreshDatabases> {
  const { TRUEUP_POSTGRES_URL: adminUrl, TRUEUP_CLICKHOUSE_URL: clickhouseUrl } = process.env;
  if (adminUrl === undefined || clickhouseUrl === undefined) {
    throw new Error('the test stack is not up: run integration tests with npm run test:it');
  }
  const name = `t_${label}_${randomBytes(4).toString('hex')}`;
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  const postgresUrl = url.toString();
  await migrate({ postgresUrl, clickhouseUrl, clickhouseDatabase: name, contract: true });
  const clickhouse = createClickHouse({ url: clickhouseUrl, database: name });
  const variables = { TRUEUP_POSTGRES_URL: postgresUrl, TRUEUP_CLICKHOUSE_DATABASE: name };
  return { name, postgresUrl, clickhouseUrl, clickhouse, variables, close: async () => clickhouse.close() };
}
