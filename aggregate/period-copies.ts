// The record of a close, kept twice: in Postgres, where it is decided, and beside the closed totals in ClickHouse. Nobody acts
// on a barrier before its second copy is written, so a Postgres restored to before the close takes it back instead of taking
// another one, which would close the period with other usage than was billed (promise I4).

import { parsePeriod } from '../domain/period.ts';
import type { CloseDeps } from './close.ts';
import { fetchPeriod, type PeriodRecord } from './period-record.ts';
import { QUERIES } from './queries.ts';
import type { StoredCatalogue } from './tables.ts';

type Row = {
  period: string;
  topic: string;
  barrier: string[];
  barrier_at_ms: string;
  catalogue: string;
  closed: number;
  closed_at_ms: string;
  digest: string;
  events: string;
};

/** Writes what Postgres says of a period beside its totals; again is harmless. */
export async function copyPeriodRecord(deps: CloseDeps, key: string, record: PeriodRecord): Promise<void> {
  await deps.clickhouse.command(QUERIES.recordPeriod, {
    period: key,
    topic: deps.topic,
    barrier: record.barrier.map(String),
    barrier_at_ms: record.barrierAtMs,
    catalogue: JSON.stringify(record.catalogue),
    closed: record.state === 'CLOSED' ? 1 : 0,
    closed_at_ms: record.closedAtMs ?? 0,
    digest: record.digest ?? '',
    events: String(record.events ?? 0n),
  });
}

/** The same for all of this topic. */
export async function copyPeriodRecords(deps: CloseDeps): Promise<void> {
  const keys = await deps.db.selectFrom('periods').select('key').where('topic', '=', deps.topic).execute();
  for (const { key } of keys) {
    const record = await fetchPeriod(deps.db, parsePeriod(key));
    if (record !== undefined) await copyPeriodRecord(deps, key, record);
  }
}

/**
 * Gives Postgres the records that it lacks, and the ends of closes that it holds as begun only. Returns the periods it
 * did so for, ordered.
 */
export async function adoptPeriodRecords(deps: CloseDeps): Promise<string[]> {
  const adopted: string[] = [];
  for (const row of await deps.clickhouse.query<Row>(QUERIES.periodRecords)) {
    if (row.topic === deps.topic && (await adopt(deps, row))) adopted.push(row.period);
  }
  return adopted;
}

async function adopt({ db }: CloseDeps, row: Row): Promise<boolean> {
  const closed = row.closed === 1;
  const ending = {
    state: closed ? ('CLOSED' as const) : ('CLOSING' as const),
    closed_at: closed ? new Date(Number(row.closed_at_ms)) : null,
    digest: closed ? row.digest : null,
    events: closed ? row.events : null,
  };
  const catalogue = JSON.parse(row.catalogue) as StoredCatalogue;
  const changed = await db
    .insertInto('periods')
    .values({
      key: row.period,
      topic: row.topic,
      barrier: JSON.stringify(row.barrier),
      barrier_at: new Date(Number(row.barrier_at_ms)),
      catalogue: JSON.stringify(catalogue),
      ...ending,
    })
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet(ending)
        .where('periods.state', '=', 'CLOSING')
        .where('periods.state', '!=', ending.state),
    )
    .returning('key')
    .executeTakeFirst();
  return changed !== undefined;
}
