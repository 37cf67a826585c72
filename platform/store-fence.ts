// Postgres and ClickHouse hold halves of one state, so one of them restored to an earlier time must not be worked on: run
// numbers would repeat and new rollups lose to old ones, a close would be taken twice, and hours without their events would
// be sent to the biller as less. Every stage looks before it does anything and refuses; `trueup recover` makes the stores
// agree again. What it can't see: a loss that left both halves alike, which is one where nothing was written in between.

import { TrueupError } from '../domain/contracts/errors.ts';
import type { ClickHouse } from './clickhouse.ts';
import type { Postgres } from './postgres.ts';

/** The rooms' tables as far as they are looked at here: this is the one place that compares the stores. */
export type FencedTables = {
  rollup_runs: { last_value: string };
  periods: { key: string; topic: string };
  ingest_blocks: { block: string; topic: string; accepted: number; stored_at: Date };
  part_restorations: { topic: string; restored_at: Date | null };
};

export type Fenced = {
  readonly clickhouse: ClickHouse;
  readonly db: Postgres<FencedTables>;
  readonly topic: string;
};

/** Minutes are some passes ahead of hours and days, so a Postgres that lost only seconds shows in the freshest of them. */
const NEWEST_RUN = `
  SELECT greatest(
    (SELECT max(run) FROM usage_day_v1),
    (SELECT max(run) FROM usage_minute_v1 WHERE minute > (SELECT max(minute) FROM usage_minute_v1) - INTERVAL 2 HOUR)
  ) AS run`;
/** Machine time; marks of touched minutes are swept after a week. */
const MARKS_KEPT_MS = 3 * 86_400_000;

/** Throws `bug` STORES_DIVERGED, with the command that mends it. */
export async function checkStoresAgree(fenced: Fenced): Promise<void> {
  const behind = (await findPostgresBehind(fenced)) ?? (await findClickHouseBehind(fenced));
  if (behind === undefined) return;
  throw new TrueupError({
    kind: 'bug',
    code: 'STORES_DIVERGED',
    message: behind.what,
    next: `stop every process, run "${behind.command}" and start them again; see docs/operations.md`,
  });
}

type Behind = { readonly what: string; readonly command: string };

async function findPostgresBehind({ clickhouse, db, topic }: Fenced): Promise<Behind | undefined> {
  const command = 'trueup recover postgres';
  // ClickHouse first: a run is numbered before its rows are written, so a worker at work can't look like an older Postgres.
  const [newest] = await clickhouse.query<{ run: string }>(NEWEST_RUN);
  const { last_value: last } = await db.selectFrom('rollup_runs').select('last_value').executeTakeFirstOrThrow();
  if (BigInt(newest?.run ?? 0) > BigInt(last)) {
    return { what: `ClickHouse holds rollup run ${newest?.run}, Postgres knows ${last}: Postgres is older`, command };
  }
  const copied = await clickhouse.query<{ period: string }>(
    'SELECT DISTINCT period FROM period_records_v1 WHERE topic = {topic:String} ORDER BY period',
    { topic },
  );
  const known = new Set((await db.selectFrom('periods').select('key').execute()).map(({ key }) => key));
  const forgotten = copied.filter(({ period }) => !known.has(period)).map(({ period }) => period);
  if (forgotten.length === 0) return undefined;
  return { what: `Postgres has forgotten the close of ${forgotten.join(', ')}: it is older than ClickHouse`, command };
}

/** A block is recorded after its marks are written, so the newest group of blocks has them, or ClickHouse is older. */
async function findClickHouseBehind({ clickhouse, db, topic }: Fenced): Promise<Behind | undefined> {
  const restoring = await db
    .selectFrom('part_restorations')
    .select('topic')
    .where('topic', '=', topic)
    .where('restored_at', 'is', null)
    .executeTakeFirst();
  if (restoring !== undefined) return undefined;
  // Compared where it is kept: the database's instants are finer than those that come out of it.
  const group = await db
    .selectFrom('ingest_blocks')
    .select('block')
    .where('topic', '=', topic)
    .where('stored_at', '>', new Date(Date.now() - MARKS_KEPT_MS))
    .where('stored_at', '=', (expression) =>
      expression
        .selectFrom('ingest_blocks')
        .select(({ fn }) => fn.max<Date>('stored_at').as('at'))
        .where('topic', '=', topic)
        .where('accepted', '>', 0),
    )
    .execute();
  const blocks = group.map(({ block }) => block);
  if (blocks.length === 0) return undefined;
  const [marks] = await clickhouse.query<{ count: string }>(
    'SELECT count() AS count FROM usage_dirty_v1 WHERE block IN {blocks:Array(String)}',
    { blocks },
  );
  if (marks?.count !== '0') return undefined;
  return {
    what: `Postgres says ${blocks[0] ?? ''} is stored, ClickHouse doesn't know it: ClickHouse is older`,
    command: 'trueup recover clickhouse --since <time of the backup>',
  };
}
