import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClickHouse, type ClickHouse } from './clickhouse.ts';
import { toClusterStatements } from './cluster-ddl.ts';
import { readSchemaFiles, splitStatements } from './schema-files.ts';

const statements = readSchemaFiles()
  .filter((file) => file.database === 'clickhouse')
  .flatMap((file) => splitStatements(file.text).map((statement) => ({ file: file.name, statement })))
  .filter(({ statement }) => statement.startsWith('CREATE TABLE'));

describe('the schema of a cluster', () => {
  let clickhouse: ClickHouse;
  beforeAll(() => {
    clickhouse = createClickHouse({ url: process.env['TRUEUP_CLICKHOUSE_URL'] ?? '', database: 'default' });
  });
  afterAll(async () => clickhouse.close());

  test('comes from every table of the single-server schema', () => {
    expect(statements.length).toBeGreaterThanOrEqual(8);
  });

  test.each(statements)('of $file passes the engine’s parser, replicated and distributed', async ({ statement }) => {
    const [local = '', distributed = ''] = toClusterStatements(statement, 'main');
    expect(local).toContain('Replicated');
    expect(distributed).toContain('Distributed(');
    for (const one of [local, distributed]) {
      const tree = await clickhouse.query<{ explain: string }>(`EXPLAIN AST ${one}`);
      expect(tree[0]?.explain).toContain('CreateQuery');
    }
  });

  test('adds a column to the local table first, drops it there last, and changes settings only there', async () => {
    const altered = (statement: string) => toClusterStatements(statement, 'main').map((one) => one.split(' ')[2]);
    expect(altered('ALTER TABLE x ADD COLUMN IF NOT EXISTS a String')).toEqual(['x_local', 'x']);
    expect(altered('ALTER TABLE x DROP COLUMN IF EXISTS a')).toEqual(['x', 'x_local']);
    expect(altered('ALTER TABLE x MODIFY SETTING merge_selector_base = 10')).toEqual(['x_local']);
    const add = toClusterStatements('ALTER TABLE x ADD COLUMN IF NOT EXISTS a String', 'main');
    const set = toClusterStatements('ALTER TABLE x MODIFY SETTING merge_selector_base = 10', 'main');
    for (const one of [...add, ...set]) {
      const tree = await clickhouse.query<{ explain: string }>(`EXPLAIN AST ${one}`);
      expect(tree[0]?.explain).toContain('AlterQuery');
    }
  });

  test('refuses a table without anything to shard by', () => {
    const odd = 'CREATE TABLE IF NOT EXISTS x (\n  a String\n)\nENGINE = MergeTree\nORDER BY a';
    expect(() => toClusterStatements(odd, 'main')).toThrow("can't be laid out on a cluster");
  });
});
