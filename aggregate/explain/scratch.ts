// Tables in which a closed period is computed once more, from the log or from its archive. They carry a random name, no
// other code reads them, and they are dropped at the end; what a killed process left is swept a day later.

import { randomBytes } from 'node:crypto';
import type { ClickHouse } from '../../platform/clickhouse.ts';
import { computePeriodDigest, type DigestRow } from '../digest.ts';
import { countedParameters, type CountedOptions } from '../parameters.ts';
import { QUERIES } from '../queries.ts';
import type { Barrier } from '../usage.ts';

export type Scratch = {
  /** Takes the columns of usage_events_v1. */
  readonly events: string;
  /** Takes the columns of usage_conflicts_v1 without id_hash. */
  readonly losers: string;
  readonly first: string;
};

export type Recount = { readonly rows: readonly DigestRow[]; readonly digest: string; readonly events: bigint };

export async function withScratch<T>(clickhouse: ClickHouse, work: (scratch: Scratch) => Promise<T>): Promise<T> {
  await sweep(clickhouse);
  const name = `scratch_${randomBytes(6).toString('hex')}`;
  const scratch: Scratch = { events: `${name}_events`, losers: `${name}_losers`, first: `${name}_first` };
  const hash = 'reinterpretAsUInt128(sipHash128(namespace, source, id))';
  const content = 'id_hash UInt128, namespace String, source String, id String, type String';
  try {
    await clickhouse.command(
      `CREATE TABLE ${scratch.events} AS usage_events_v1 ENGINE = MergeTree PRIMARY KEY id_hash ORDER BY id_hash`,
    );
    await clickhouse.command(
      `CREATE TABLE ${scratch.losers} (
        namespace String, id_hash UInt128 DEFAULT ${hash}, source String, id String, type String,
        time DateTime64(3, 'UTC'), quantity Decimal(38, 12), kafka_partition UInt16, kafka_offset UInt64,
        winner_offset UInt64
      ) ENGINE = MergeTree ORDER BY id_hash`,
    );
    await clickhouse.command(
      `CREATE TABLE ${scratch.first} (
        ${content}, time DateTime64(3, 'UTC'), quantity Decimal(38, 12), voids String
      ) ENGINE = MergeTree ORDER BY id_hash`,
    );
    return await work(scratch);
  } finally {
    for (const table of Object.values(scratch)) await clickhouse.command(`DROP TABLE IF EXISTS ${table} SYNC`);
  }
}

export type RecountOptions = CountedOptions & { readonly period: string; readonly before: Barrier };

/** Totals and digest of the window as of a barrier, out of what the scratch tables were filled with. */
export async function recount(clickhouse: ClickHouse, scratch: Scratch, options: RecountOptions): Promise<Recount> {
  const parameters = { ...countedParameters(options), ...scratch };
  await clickhouse.command(`TRUNCATE TABLE ${scratch.first}`);
  await clickhouse.command(QUERIES.firstCopies, parameters);
  const rows = await clickhouse.query<DigestRow>(QUERIES.recountedDigests, parameters);
  return { rows, ...computePeriodDigest(options.period, rows) };
}

async function sweep(clickhouse: ClickHouse): Promise<void> {
  const left = await clickhouse.query<{ name: string }>(
    `SELECT name FROM system.tables
     WHERE database = currentDatabase() AND startsWith(name, 'scratch_')
       AND metadata_modification_time < now() - INTERVAL 1 DAY`,
  );
  for (const { name } of left) await clickhouse.command(`DROP TABLE IF EXISTS ${name} SYNC`);
}
