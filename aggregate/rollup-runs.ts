// Numbers of rollup runs. Whoever takes a later one reads at least as much, so of two that write the same window the higher
// number holds. The owner of a shard also learns whether anybody else took one since its last: then what it remembers of
// its minutes may no longer be what they are.

import { sql } from 'kysely';
import { TrueupError } from '../domain/contracts/errors.ts';
import type { Postgres } from '../platform/postgres.ts';
import type { Shard } from './shards.ts';
import type { AggregateTables } from './tables.ts';

export type TakeRun = () => Promise<string>;

/** For whoever owns no shard. */
export async function nextRun(db: Postgres<AggregateTables>): Promise<string> {
  // Its reason lies before this, so that an owner who sees it move reads what the reason was.
  await sql`SELECT nextval('rollup_disturbances')`.execute(db);
  const { rows } = await sql<{ run: string }>`SELECT nextval('rollup_runs') AS run`.execute(db);
  return rows[0]?.run ?? '0';
}

type Taken = { readonly run: string; readonly taken: string; readonly disturbances: string };

/** Runs of a shard's owner. */
export class ShardRuns {
  private readonly db: Postgres<AggregateTables>;
  private readonly shard: Shard;
  private last: Taken | undefined;
  /** Somebody else took a run, or nothing is known yet. */
  isDisturbed = true;

  constructor(db: Postgres<AggregateTables>, shard: Shard) {
    this.db = db;
    this.shard = shard;
  }

  get lastRun(): string {
    return this.last?.run ?? '0';
  }

  /**
   * Throws `unavailable` SHARD_GONE when there are fewer shards by now, `bug` STORES_DIVERGED when numbers have gone back:
   * Postgres is an older one now, and what is rolled up under them would lose.
   */
  readonly take: TakeRun = async () => {
    const { rows } = await sql<Taken>`
      UPDATE rollup_shards SET runs_taken = runs_taken + 1 WHERE shard = ${this.shard.shard}
      RETURNING nextval('rollup_runs')::text AS run, runs_taken::text AS taken,
        (SELECT last_value FROM rollup_disturbances)::text AS disturbances`.execute(this.db);
    const [row] = rows;
    if (row === undefined) {
      const message = `there is no shard ${this.shard.shard} of the rollup any more`;
      throw new TrueupError({ kind: 'unavailable', code: 'SHARD_GONE', message, next: 'nothing: others own the rest' });
    }
    const { last } = this;
    if (last !== undefined && BigInt(row.run) <= BigInt(last.run)) {
      const message = `rollup runs went back from ${last.run} to ${row.run}: Postgres is older than it was`;
      throw new TrueupError({
        kind: 'bug',
        code: 'STORES_DIVERGED',
        message,
        next: 'stop every process; see docs/operations.md',
      });
    }
    const isNext = last !== undefined && BigInt(row.taken) === BigInt(last.taken) + 1n;
    if (!isNext || row.disturbances !== last.disturbances) this.isDisturbed = true;
    this.last = row;
    return row.run;
  };
}
