// Usage per tenant as a scrape of a process sees it: through any change of tiers nothing is lost or counted twice, and a
// series goes only after Prometheus has seen its end.

import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TENANT_TIERS } from '../domain/tiers.ts';
import { advanceClock, type BusinessClockTables } from '../platform/clock.ts';
import { createHealth } from '../platform/health.ts';
import { createMetrics } from '../platform/metrics.ts';
import { startOps, type Ops } from '../platform/ops.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { createFreshDatabases, type FreshDatabases } from '../platform/testing/fresh-databases.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { startProcessUnderTest, type ProcessUnderTest } from '../watch/testing/process.ts';
import type { AggregateTables } from './tables.ts';
import { deletePin, fetchPins, insertPin } from './tenant-pins.ts';
import { createTenantUsage, type TenantUsage } from './tenant-usage.ts';
import { createUsageBench } from './testing/usage-bench.ts';

const NOON_MS = Date.UTC(2026, 9, 15, 12);
const DAY_MS = 86_400_000;
/** More than may stay by rank, so that somebody can lose a label. */
const TENANTS = Array.from({ length: TENANT_TIERS.leaveAt + 5 }, (_, n) => `t${n}`);

type Scrape = { readonly series: ReadonlyMap<string, number>; readonly total: number };

/** One process' metrics, the day's rollup that it looks at, and its two clocks. */
class World {
  readonly databases: FreshDatabases;
  readonly db: Postgres<AggregateTables>;
  readonly said: unknown[] = [];
  businessMs = NOON_MS;
  machineMs = 0;
  pinsReadable = true;
  private readonly ops: Ops;
  private readonly usage: TenantUsage;
  private readonly counts = new Map<string, number>();
  private run = 0;
  private last: Scrape = { series: new Map(), total: 0 };

  private constructor(databases: FreshDatabases, parts: { ops: Ops; metrics: ReturnType<typeof createMetrics> }) {
    this.databases = databases;
    this.ops = parts.ops;
    this.db = createPostgres<AggregateTables>(databases.postgresUrl, 2);
    this.usage = createTenantUsage({
      clickhouse: databases.clickhouse,
      metrics: parts.metrics,
      log: { warn: (about: unknown) => void this.said.push(about) },
      now: async () => Promise.resolve(this.businessMs),
      machineNowMs: () => this.machineMs,
      fetchPinned: async () => {
        if (!this.pinsReadable) throw new Error('Postgres is away');
        return (await fetchPins(this.db)).map(({ account }) => account);
      },
    });
  }

  static async create(): Promise<World> {
    const metrics = createMetrics();
    const health = createHealth({ metrics });
    health.stop();
    const ops = await startOps({ host: '127.0.0.1', port: 0, metrics, health });
    return new World(await createFreshDatabases('tenant_usage'), { ops, metrics });
  }

  /** Adds events to the day's rollup. */
  async use(added: ReadonlyMap<string, number>): Promise<void> {
    this.run += 1;
    for (const [tenant, events] of added) this.counts.set(tenant, (this.counts.get(tenant) ?? 0) + events);
    const day = new Date(this.businessMs).toISOString().slice(0, 10);
    const rows = [...added.keys()].map((tenant) => {
      const events = this.counts.get(tenant) ?? 0;
      return `main.${tenant}\tactions\t${day}\t${events}\t${events}\t${this.run}\n`;
    });
    const columns = ['namespace', 'meter', 'day', 'quantity', 'events', 'run'];
    await this.databases.clickhouse.insertTsv('usage_day_v1', columns, rows.join(''));
  }

  async useAll(events: (tenant: string, rank: number) => number): Promise<void> {
    await this.use(new Map(TENANTS.map((tenant, at) => [tenant, events(tenant, at)])));
  }

  nextDay(): void {
    this.businessMs += DAY_MS;
    this.counts.clear();
  }

  /** One look and one scrape; what all series together grew by since the scrape before is what the total grew by. */
  async look(): Promise<ReadonlyMap<string, number>> {
    await this.usage.look();
    const text = await (await fetch(`${this.ops.url}/metrics`)).text();
    const found = text.matchAll(/^trueup_aggregate_tenant_events_total\{tenant="(.+)"\} (\d+)$/gm);
    const series = new Map([...found].map(([, tenant = '', value]) => [tenant, Number(value)]));
    const total = Number(/^trueup_aggregate_events_total (\d+)$/m.exec(text)?.[1]);
    const grown = [...series].map(([tenant, value]) => value - (this.last.series.get(tenant) ?? 0));
    expect(grown.every((one) => one >= 0)).toBe(true);
    expect(grown.reduce((sum, one) => sum + one, 0)).toBe(total - this.last.total);
    this.last = { series, total };
    return series;
  }

  rest(): void {
    this.usage.rest();
  }

  async pin(account: string): Promise<void> {
    await insertPin(this.db, { account, reason: 'watched', pinnedBy: 'ada', pinnedAtMs: this.businessMs });
  }

  async close(): Promise<void> {
    await this.ops.stop();
    await this.db.destroy();
    await this.databases.close();
  }
}

describe('what is scraped', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.create();
  });
  afterEach(async () => world.close());

  test('a process counts from its first look, a series from zero', async () => {
    await world.useAll((_, at) => 1_000 - at);
    const first = await world.look();
    expect(first.size).toBe(TENANT_TIERS.enterAt);
    expect(new Set(first.values())).toEqual(new Set([0]));
    await world.useAll(() => 10);
    const second = await world.look();
    expect(second.get('t0')).toBe(10);
    expect(second.get('t89')).toBe(10);
    expect(second.get('other')).toBe(10 * (TENANTS.length - TENANT_TIERS.enterAt));
  });

  test('a demoted tenant is scraped for one staleness interval with what it had, and then it is gone', async () => {
    await world.useAll((_, at) => 1_000 - at);
    await world.look();
    world.machineMs = TENANT_TIERS.minimumStayMs;
    await world.useAll((tenant) => (tenant === 't0' ? 1 : 5_000));
    expect((await world.look()).get('t0')).toBe(1);
    const otherBefore = (await world.look()).get('other') ?? 0;
    world.machineMs += TENANT_TIERS.stalenessMs - 1;
    await world.use(new Map([['t0', 7]]));
    const leaving = await world.look();
    expect(leaving.get('t0')).toBe(1);
    expect(leaving.get('other')).toBe(otherBefore + 7);
    world.machineMs += 1;
    expect((await world.look()).has('t0')).toBe(false);
    await world.use(new Map([['t0', 100_000]]));
    expect((await world.look()).get('t0')).toBe(0);
    await world.use(new Map([['t0', 3]]));
    expect((await world.look()).get('t0')).toBe(3);
  });

  test('a pin labels at the next look, holds while pins can’t be read, and ends with its row', async () => {
    await world.useAll((_, at) => 20_000 - 100 * at);
    expect((await world.look()).has('t124')).toBe(false);
    await world.pin('t124');
    expect((await world.look()).get('t124')).toBe(0);
    await world.use(new Map([['t124', 4]]));
    world.pinsReadable = false;
    world.machineMs += 10 * TENANT_TIERS.minimumStayMs;
    expect((await world.look()).get('t124')).toBe(4);
    expect(world.said).toEqual([{ error: 'Error: Postgres is away' }]);
    await world.use(new Map([['t124', 4]]));
    expect((await world.look()).get('t124')).toBe(8);
    world.pinsReadable = true;
    expect(await deletePin(world.db, 't124')).toBe(true);
    await world.look();
    world.machineMs += TENANT_TIERS.stalenessMs;
    expect((await world.look()).has('t124')).toBe(false);
  });

  test('what another process counted meanwhile is not counted again', async () => {
    await world.useAll(() => 1);
    await world.look();
    world.rest();
    await world.use(new Map([['t0', 50]]));
    await world.look();
    await world.use(new Map([['t0', 2]]));
    expect((await world.look()).get('t0')).toBe(2);
  });

  test('through any usage, pins, days and times nothing is lost between scrapes, and labels stay few', async () => {
    const grown = fc.array(fc.tuple(fc.constantFrom(...TENANTS), fc.nat(100_000)), { maxLength: 60 });
    const step = fc.record({
      grown,
      machineMs: fc.constantFrom(0, 30_000, TENANT_TIERS.stalenessMs, TENANT_TIERS.minimumStayMs),
      pin: fc.option(fc.constantFrom(...TENANTS)),
      unpin: fc.boolean(),
      newDay: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 12 }), async (steps) => {
        world.nextDay();
        await world.useAll(() => 1);
        for (const { grown: added, machineMs, pin, unpin, newDay } of steps) {
          world.machineMs += machineMs;
          if (newDay) world.nextDay();
          if (added.length > 0) await world.use(new Map(added));
          if (unpin) for (const { account } of await fetchPins(world.db)) await deletePin(world.db, account);
          if (pin !== null) await world.pin(pin);
          const series = await world.look();
          expect(series.size).toBeLessThanOrEqual(2 * TENANT_TIERS.maximum + 1);
        }
      }),
      { numRuns: 6 },
    );
  });
});

describe('a process under steady load', () => {
  test('looks at usage per tenant while its work list never ends', async () => {
    const bench = await createUsageBench('tenant_load', 1);
    const fed = new AbortController();
    let offset = 0;
    let started: ProcessUnderTest | undefined;
    const store = async () => {
      await bench.store([{ id: `e-${offset}`, at: '2026-10-15T11:00:00Z', offset }]);
      offset += 1;
    };
    await store();
    await bench.rollUp();
    const clock = createPostgres<BusinessClockTables>(bench.databases.postgresUrl, 1);
    await advanceClock(clock, NOON_MS);
    await clock.destroy();
    const feed = (async () => {
      while (!fed.signal.aborted) {
        await store();
        await delay(20);
      }
    })();
    try {
      started = await startProcessUnderTest('aggregate/main.ts', {
        ...bench.databases.variables,
        TRUEUP_TOPIC: bench.deps.topic,
        TRUEUP_CLOCK: 'simulated',
      });
      const it = started;
      await eventually(60_000, async () => {
        const done = (await it.value('trueup_aggregate_passes_total{outcome="done"}')) ?? 0;
        if (done < 3) throw new Error(`${done} passes are done`);
        const tenants = await it.value('trueup_aggregate_active_tenants');
        if (tenants !== 1) throw new Error(`${tenants} tenants were seen`);
        return true;
      });
    } finally {
      fed.abort();
      await feed;
      await started?.stop();
      await bench.close();
    }
  }, 180_000);
});
