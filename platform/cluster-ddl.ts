// The tables of a ClickHouse cluster, from the same schema files as those of a single server: each table becomes a
// replicated local one and a distributed one of the table's own name in front of it.
// Rows are sharded by namespace (or by what stands in for it), so that every copy of an identity and every window of a
// namespace lie on one shard: replacement and FINAL stay right, because they never reach across shards.
// Columns that are added or dropped later change both tables; the one in front never names what the local one lacks. Settings
// are those of the local one.

import { TrueupError } from '../domain/contracts/errors.ts';

const CREATE =
  /^CREATE TABLE IF NOT EXISTS (\w+) \(\n([^]*?)\n\)\nENGINE = ((?:Replacing)?MergeTree)(?:\(([^)]*)\))?\n([^]*)$/;

const ALTER = /^ALTER TABLE (\w+)\s+((ADD|DROP) COLUMN|MODIFY SETTING) ([^]*)$/;

/** What decides the shard, by the first of these columns that a table has. */
const SHARD_COLUMNS = ['namespace', 'source', 'kafka_partition', 'period'] as const;

/** ZooKeeper path and replica name; the macros are the server's own. */
const REPLICATION = `'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'`;

/** The statements that make one single-server statement into those of a cluster's pair of tables. Throws `bug` on any other form. */
export function toClusterStatements(statement: string, cluster: string): string[] {
  const [, altered, action, verb, change] = ALTER.exec(statement.trim()) ?? [];
  if (altered === undefined) return toClusterTables(statement, cluster);
  const local = `${altered}_local`;
  const tables = verb === undefined ? [local] : verb === 'ADD' ? [local, altered] : [altered, local];
  return tables.map((table) => `ALTER TABLE ${table} ON CLUSTER '${cluster}' ${action} ${change}`);
}

function toClusterTables(statement: string, cluster: string): string[] {
  const match = CREATE.exec(statement.trim());
  const [, table, columns = '', engine, engineArguments, rest = ''] = match ?? [];
  const shardColumn = SHARD_COLUMNS.find((column) => new RegExp(`^\\s*${column}\\s`, 'm').test(columns));
  if (table === undefined || shardColumn === undefined) {
    throw new TrueupError({
      kind: 'bug',
      code: 'INVARIANT_BROKEN',
      message: `a schema file can't be laid out on a cluster: ${statement.slice(0, 60)}`,
      next: 'write it as CREATE TABLE IF NOT EXISTS name ( columns ) ENGINE = [Replacing]MergeTree with a shard column, or as ALTER TABLE name ADD|DROP COLUMN or MODIFY SETTING',
    });
  }
  const replicated = [REPLICATION, engineArguments].filter((part) => part !== undefined && part !== '').join(', ');
  const onCluster = `ON CLUSTER '${cluster}'`;
  return [
    `CREATE TABLE IF NOT EXISTS ${table}_local ${onCluster} (\n${columns}\n)\nENGINE = Replicated${engine}(${replicated})\n${rest}`,
    `CREATE TABLE IF NOT EXISTS ${table} ${onCluster} AS ${table}_local\n` +
      `ENGINE = Distributed('${cluster}', currentDatabase(), ${table}_local, sipHash64(${shardColumn}))`,
  ];
}
