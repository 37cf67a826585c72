// Many tenants, few jobs: a pass works off blocks of the log and the minutes they touched in one shard, whoever of the shard
// the minutes belong to.

import { afterEach, expect, test } from 'vitest';
import type { ClickHouse } from '../platform/clickhouse.ts';
import { RollupWorker } from './rollup-worker.ts';
import { openShardLeases } from './shard-leases.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';

const EVENTS = 200_000;
/** Half of all events belong to them. */
const HOT = 100;
const MINUTES = 20;
const PARTITIONS = 8;
/** Stored and rolled up one after the other, and each touches all of the minutes. */
const SLICES = 4;
/** Beside its share of the work, which is the same, a tenant costs its own rows: one per minute in which it was used. */
const SLOWER_MAX = 6;

let bench: UsageBench | undefined;
afterEach(async () => bench?.close());

/** Event `number`: its tenant, its time, its place in the log. One in a hundred was sent twice. */
const EVENT = `
  SELECT number AS n,
    if(n % 2 = 0, intDiv(n, 2) % {hot:UInt64}, {hot:UInt64} + intDiv(n, 2) % ({tenants:UInt64} - {hot:UInt64})) AS tenant,
    concat('ns-', toString(tenant), '.acct-', toString(intDiv(tenant, 10))) AS namespace,
    toDateTime64('2026-10-05 10:50:00', 3, 'UTC') + (n * 7919 + intDiv(n, 1000)) % ({minutes:UInt64} * 60) AS time,
    n % {partitions:UInt64} AS at_partition, 2 * intDiv(n, {partitions:UInt64}) AS at_offset
  FROM numbers({events:UInt64})
  WHERE intDiv(n * {slices:UInt64}, {events:UInt64}) = {slice:UInt64}`;

async function storeSlice({ deps }: UsageBench, tenants: number, slice: number): Promise<void> {
  const parameters = {
    tenants,
    slice,
    hot: HOT,
    minutes: MINUTES,
    partitions: PARTITIONS,
    events: EVENTS,
    slices: SLICES,
  };
  for (const copy of [0, 1]) {
    await deps.clickhouse.command(
      `INSERT INTO usage_events_v1 (namespace, type, time, source, id, quantity, voids, generation, kafka_partition,
         kafka_offset, arrived_at)
       SELECT namespace, 'workflow_start', time, '/cell', toString(n), 1 + n % 7, '', 0, at_partition,
         at_offset + {copy:UInt64}, time
       FROM (${EVENT}) WHERE {copy:UInt64} = 0 OR n % 100 = 0`,
      { ...parameters, copy },
    );
  }
  await deps.clickhouse.command(
    `INSERT INTO usage_dirty_v1 (block, namespace, minute)
     SELECT DISTINCT concat('b-', toString({slice:UInt64}), '-', toString(at_partition)), namespace, toStartOfMinute(time)
     FROM (${EVENT})`,
    parameters,
  );
  const share = (2 * EVENTS) / PARTITIONS / SLICES;
  await deps.db
    .insertInto('ingest_blocks')
    .values(
      Array.from({ length: PARTITIONS }, (_, partition) => ({
        block: `b-${slice}-${partition}`,
        topic: deps.topic,
        partition,
        first_offset: String(slice * share),
        end_offset: String((slice + 1) * share),
        messages: share / 2,
        accepted: share / 2,
        rejected: 0,
        rolled_up_run: null,
      })),
    )
    .execute();
}

type Work = { passes: number; statements: number; ms: number };

async function rollUpSlices(of: UsageBench, { tenants, shards }: { tenants: number; shards: number }): Promise<Work> {
  const { clickhouse, db } = of.deps;
  const work: Work = { passes: 0, statements: 0, ms: 0 };
  const counting: ClickHouse = {
    ...clickhouse,
    command: async (...statement) => {
      work.statements += 1;
      return clickhouse.command(...statement);
    },
    query: async <Row>(...statement: Parameters<ClickHouse['query']>) => {
      work.statements += 1;
      return clickhouse.query<Row>(...statement);
    },
  };
  const workers = Array.from({ length: shards }, (_, shard) => {
    const deps = { clickhouse: counting, db, shard: { shard, shards }, busyNamespaces: 1 };
    // No time passes: what is done because some has is left out of the count.
    return new RollupWorker(deps, () => 0);
  });
  for (let slice = 0; slice < SLICES; slice += 1) {
    await storeSlice(of, tenants, slice);
    const startedMs = performance.now();
    for (const worker of workers) {
      // Minutes are kept open from one slice to the next; without more to do they are left one by one.
      while ((await worker.pass()).blocks > 0) work.passes += 1;
    }
    work.ms += performance.now() - startedMs;
  }
  return work;
}

/** Every tenant's minutes as the generator made them, against the rollup, and the sums of hours and days. */
async function expectExact({ deps }: UsageBench, tenants: number): Promise<void> {
  const [minutes] = await deps.clickhouse.query<Record<string, string>>(
    `SELECT toString(countIf(made != rolled)) AS wrong, toString(count()) AS minutes,
       toString(uniqExact(namespace)) AS namespaces, toString(sum(rolled)) AS total
     FROM (
       SELECT namespace, minute, sum(expected) AS made, sum(stored) AS rolled
       FROM (
         SELECT namespace, toStartOfMinute(time) AS minute, 10 * toDecimal256(quantity, 12) AS expected,
           toDecimal256(0, 12) AS stored
         FROM (SELECT namespace, time, source, id, any(quantity) AS quantity FROM usage_events_v1 GROUP BY ALL)
         UNION ALL
         SELECT namespace, minute, toDecimal256(0, 12), quantity FROM usage_minute_v1 FINAL WHERE meter = 'actions'
       )
       GROUP BY namespace, minute
     )`,
  );
  // 1 + n % 7 over all events, in tenths of an action.
  const made = Array.from({ length: 7 }, (_, rest) => (rest + 1) * Math.ceil((EVENTS - rest) / 7));
  const total = String(10 * made.reduce((sum, one) => sum + one, 0));
  expect(minutes).toMatchObject({ wrong: '0', namespaces: String(tenants), total });
  const [grains] = await deps.clickhouse.query<Record<string, string>>(
    `SELECT (SELECT toString(sum(quantity)) FROM usage_hour_v1 FINAL) AS hours,
       (SELECT toString(sum(quantity)) FROM usage_day_v1 FINAL) AS days`,
  );
  expect(grains).toEqual({ hours: total, days: total });
}

test.each([1, 4])(
  '100,000 namespaces take as many passes and statements as 1,000, in bounded time: %i shards',
  async (shards) => {
    const works: Work[] = [];
    for (const tenants of [1_000, 100_000]) {
      bench = await createUsageBench(`tenants_${tenants}_${shards}`, PARTITIONS);
      await openShardLeases(bench.db, { me: 'test', shards });
      works.push(await rollUpSlices(bench, { tenants, shards }));
      await expectExact(bench, tenants);
      await bench.close();
      bench = undefined;
    }
    const [few, many] = works;
    if (few === undefined || many === undefined) throw new Error('nothing was measured');
    console.log(
      `rolled up ${EVENTS} events of 1,000 / 100,000 namespaces in ${few.ms.toFixed(0)} / ${many.ms.toFixed(0)} ms, ` +
        `${few.statements} / ${many.statements} statements, ${few.passes} / ${many.passes} passes`,
    );
    expect({ passes: many.passes, statements: many.statements }).toEqual({
      passes: few.passes,
      statements: few.statements,
    });
    expect(many.ms / few.ms).toBeLessThan(SLOWER_MAX);
  },
  180_000,
);
