// A worker that keeps busy minutes in memory must come to what a recomputation gives after every pass, whatever the log
// brings: resent copies, conflicts, voids, late usage, redelivery, gaps, lost writes, other workers.

import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { parsePeriod } from '../domain/period.ts';
import type { ClickHouse, QueryParameters } from '../platform/clickhouse.ts';
import { formatWindow } from './parameters.ts';
import { QUERIES } from './queries.ts';
import { fetchPending, recomputeTouched } from './rollup.ts';
import { RollupWorker } from './rollup-worker.ts';
import { openShardLeases } from './shard-leases.ts';
import { createUsageBench, type Copy, type UsageBench } from './testing/usage-bench.ts';

const OCTOBER = parsePeriod('2026-10');
const START_MS = Date.UTC(2026, 9, 3, 10);
const PARTITIONS = 3;
const at = (second: number) => new Date(START_MS + second * 1000).toISOString();

let bench: UsageBench;
afterEach(async () => bench.close());

/** A worker per shard, to which every minute is busy, and how often they read only what was fresh. */
class Watched {
  freshReads = 0;
  /** The next insert is answered with an error. */
  failNext = false;
  private readonly workers: readonly RollupWorker[];

  constructor(shards = 1) {
    const { clickhouse, db } = bench.deps;
    const watching: ClickHouse = {
      ...clickhouse,
      query: async <Row>(sql: string, parameters?: QueryParameters) => {
        if (sql === QUERIES.freshUsage) this.freshReads += 1;
        return clickhouse.query<Row>(sql, parameters);
      },
      insertTsv: async (...insert) => {
        const rows = await clickhouse.insertTsv(...insert);
        if (!this.failNext) return rows;
        this.failNext = false;
        throw new Error('the answer was lost');
      },
    };
    this.workers = Array.from({ length: shards }, (_, shard) => {
      const deps = { clickhouse: watching, db, busyNamespaces: 1, shard: { shard, shards } };
      return new RollupWorker(deps, () => performance.now());
    });
  }

  async workOff(): Promise<void> {
    await Promise.all(
      this.workers.map(async (worker) => {
        while ((await worker.pass()).blocks > 0);
      }),
    );
    expect(await fetchPending(bench.deps)).toEqual([]);
  }
}

async function expectExact(): Promise<void> {
  expect(await bench.usage.fetchRollupMismatches(OCTOBER)).toEqual([]);
}

async function minutesOf(namespace: string): Promise<string[]> {
  const rows = await bench.deps.clickhouse.query<Record<'meter' | 'quantity' | 'events', string>>(
    `SELECT meter, toString(quantity) AS quantity, toString(events) AS events FROM usage_minute_v1 FINAL
     WHERE namespace = {namespace:String} ORDER BY minute, meter`,
    { namespace },
  );
  return rows.map(({ meter, quantity, events }) => `${meter} ${quantity} of ${events}`);
}

/** Names conflicts and takes losers out of their minutes, as a close does. */
async function resolveConflicts(): Promise<void> {
  const { clickhouse } = bench.deps;
  const window = formatWindow(OCTOBER);
  await clickhouse.command(QUERIES.findConflicts, window);
  await clickhouse.command(QUERIES.markConflicts, { ...window, block: 'conflicts' });
  await recomputeTouched(bench.deps, ['conflicts']);
}

describe('a worker that keeps minutes open', () => {
  test('adds what is fresh, to the last digit', async () => {
    bench = await createUsageBench('open_adds', 1);
    const watched = new Watched();
    for (let offset = 0; offset < 6; offset += 1) {
      const type = offset % 2 === 0 ? 'fairness' : 'active_storage';
      await bench.store([{ id: `e-${offset}`, at: at(offset), offset, type, quantity: '0.123456789012' }]);
      await watched.workOff();
      await expectExact();
    }
    expect(await minutesOf('pay.acme')).toEqual(['actions 0.370370367036 of 3', 'active_storage 0.370370367036 of 3']);
    expect(watched.freshReads).toBe(4);
  });

  test('counts nothing twice that it has tried to write and not heard of', async () => {
    bench = await createUsageBench('open_lost', 1);
    const watched = new Watched();
    for (let offset = 0; offset < 3; offset += 1) {
      await bench.store([{ id: `e-${offset}`, at: at(offset), offset }]);
      await watched.workOff();
    }
    await bench.store([{ id: 'e-3', at: at(3), offset: 3 }]);
    watched.failNext = true;
    await expect(watched.workOff()).rejects.toThrow('the answer was lost');
    await bench.store([{ id: 'e-4', at: at(4), offset: 4 }]);
    await watched.workOff();
    await expectExact();
    expect(await minutesOf('pay.acme')).toEqual(['actions 50 of 5']);
  });

  test('corrects, when it leaves a minute, what a producer placed in two partitions', async () => {
    bench = await createUsageBench('open_apart', 2);
    const watched = new Watched();
    const copy = { id: 'twice', at: at(1) };
    for (let offset = 0; offset < 3; offset += 1) {
      await bench.store([{ id: `e-${offset}`, at: at(offset), offset: 10 + offset, partition: 0 }]);
      await bench.store([{ id: `f-${offset}`, at: at(offset), offset, partition: 1 }]);
      await watched.workOff();
    }
    await bench.store([{ ...copy, offset: 13, partition: 0 }]);
    await watched.workOff();
    await bench.store([{ ...copy, offset: 3, partition: 1 }]);
    await watched.workOff();
    // The later copy lies at the lower offset, so it looks like a first one.
    expect(await minutesOf('pay.acme')).toEqual(['actions 80 of 8']);
    for (let minute = 1; minute < 6; minute += 1) {
      const namespace = 'other.acme';
      await bench.store([{ id: `g-${minute}`, at: at(60 * minute), offset: 13 + minute, partition: 0, namespace }]);
      await watched.workOff();
    }
    // Each pass without work leaves one minute.
    for (let pass = 0; pass < 3; pass += 1) await watched.workOff();
    await expectExact();
  });

  test.each([
    { shards: 1, steps: 80 },
    { shards: 3, steps: 60 },
  ])(
    'comes to what a recomputation gives, whatever happens in between: $shards shards',
    async ({ shards, steps: numRuns }) => {
      bench = await createUsageBench(`open_random_${shards}`, PARTITIONS);
      await openShardLeases(bench.db, { me: 'test', shards });
      const seed = randomInt(2 ** 31);
      console.log(`seed ${seed}`);
      const steps = fc.sample(STEP, { seed, numRuns });
      const scene = new Scene(shards);
      for (const [number, step] of steps.entries()) {
        await scene.take(step);
        const mismatches = await bench.usage.fetchRollupMismatches(OCTOBER);
        expect(mismatches, `step ${number} of seed ${seed}: ${JSON.stringify(step)}`).toEqual([]);
      }
      expect(scene.watched.freshReads).toBeGreaterThan(10);
    },
    240_000,
  );
});

type Step = {
  readonly kind: 'next' | 'gap' | 'again' | 'other worker' | 'conflicts' | 'restart' | 'lost';
  readonly partition: number;
  readonly events: readonly {
    readonly fate: 'new' | 'resent' | 'conflict' | 'void';
    readonly namespace: number;
    /** Before the newest minute. */
    readonly secondsLate: number;
    readonly quantity: number;
    /** Which earlier event a copy is of. */
    readonly of: number;
  }[];
};

const STEP: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 14, arbitrary: fc.constant('next' as const) },
    fc.constantFrom('gap', 'again', 'other worker', 'conflicts', 'restart', 'lost'),
  ),
  partition: fc.nat(PARTITIONS - 1),
  events: fc.array(
    fc.record({
      fate: fc.oneof(
        { weight: 30, arbitrary: fc.constant('new' as const) },
        { weight: 6, arbitrary: fc.constant('resent' as const) },
        fc.constantFrom('conflict', 'void'),
      ),
      namespace: fc.nat(5),
      secondsLate: fc.oneof({ weight: 5, arbitrary: fc.nat(50) }, fc.nat(600)),
      quantity: fc.integer({ min: 1, max: 9 }),
      of: fc.nat(1_000),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

/** A log of three partitions, what has been stored of it, and a worker. */
class Scene {
  watched: Watched;
  private readonly shards: number;
  private readonly log: Copy[][] = Array.from({ length: PARTITIONS }, () => []);
  private ids = 0;
  private second = 0;

  constructor(shards: number) {
    this.shards = shards;
    this.watched = new Watched(shards);
  }

  async take({ kind, partition, events }: Step): Promise<void> {
    const from = this.log[partition]?.length ?? 0;
    for (const event of events) this.emit(partition, event);
    const stretch = this.log[partition]?.slice(from) ?? [];
    if (kind === 'gap' && stretch.length > 1) {
      await bench.store(stretch.slice(1));
      await this.watched.workOff();
      await bench.store(stretch.slice(0, 1));
    } else await bench.store(stretch);
    if (kind === 'again') await bench.store((this.log[partition] ?? []).slice(Math.max(0, from - 5), from + 1));
    if (kind === 'other worker') await new Watched(this.shards).workOff();
    if (kind === 'conflicts') await resolveConflicts();
    if (kind === 'restart')
      this.watched = Object.assign(new Watched(this.shards), { freshReads: this.watched.freshReads });
    this.watched.failNext = kind === 'lost';
    await this.watched.workOff().catch(async () => this.watched.workOff());
    this.watched.failNext = false;
  }

  private emit(partition: number, { fate, namespace, secondsLate, quantity, of }: Step['events'][number]): void {
    const log = this.log[partition] ?? [];
    this.second += 2;
    const offset = log.length;
    const earlier = log.filter(({ type }) => type !== 'void')[of % Math.max(1, log.length)];
    const fresh = {
      id: `e-${(this.ids += 1)}`,
      at: at(600 + this.second - secondsLate),
      namespace: `ns-${namespace}.acme`,
      quantity: String(quantity),
    };
    if (fate === 'new' || earlier === undefined) log.push({ ...fresh, partition, offset });
    else if (fate === 'resent') log.push({ ...earlier, offset });
    else if (fate === 'conflict') log.push({ ...earlier, quantity: String(quantity + 10), offset });
    else {
      const { at: time, namespace: owner = '', id: voids } = earlier;
      log.push({ id: fresh.id, at: time, namespace: owner, type: 'void', voids, partition, offset });
    }
  }
}
