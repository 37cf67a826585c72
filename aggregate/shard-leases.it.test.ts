// Who rolls up which shard, on a real Postgres, and that a block leaves the work list when every shard has rolled it up.

import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../platform/log.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { keepShards, type KeptShards } from './keep-shards.ts';
import { fetchPending, finish } from './rollup.ts';
import { nextRun, ShardRuns } from './rollup-runs.ts';
import { openShardLeases } from './shard-leases.ts';
import { LEASE_MS, type Shard } from './shards.ts';
import { createUsageBench, type UsageBench } from './testing/usage-bench.ts';

const WITHIN_MS = 20_000;
const log = createLog('test', 'silent');

let bench: UsageBench;
let started: KeptShards[];
beforeEach(async () => {
  bench = await createUsageBench('shards', 1);
  started = [];
});
afterEach(async () => {
  await Promise.all(started.map(async (one) => one.close()));
  await bench.close();
});

/** A process that keeps shards, and which it works on. */
async function startProcess(me: string, shards: number) {
  const leases = await openShardLeases(bench.db, { me, shards });
  const working = new Map<number, Shard>();
  const start = (shard: Shard) => {
    working.set(shard.shard, shard);
    return {
      stop: async () => {
        await delay(10);
        working.delete(shard.shard);
      },
    };
  };
  const kept = keepShards({ leases, start, everyMs: 100, log });
  started.push(kept);
  return { kept, working };
}

describe('workers that share shards', () => {
  test('divide them, take over from who stopped, and follow a new number of shards', async () => {
    const first = await startProcess('first', 4);
    await eventually(WITHIN_MS, async () => Promise.resolve(first.working.size === 4 ? true : undefined));
    const second = await startProcess('second', 4);
    await eventually(WITHIN_MS, async () => {
      const shared = first.working.size === 2 && second.working.size === 2;
      return Promise.resolve(shared ? true : undefined);
    });
    expect([...first.working.keys(), ...second.working.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    // In good order, so at once.
    await first.kept.close();
    expect(first.working.size).toBe(0);
    await eventually(LEASE_MS / 2, async () => Promise.resolve(second.working.size === 4 ? true : undefined));
    const third = await startProcess('third', 2);
    await eventually(WITHIN_MS, async () => {
      const shared = third.working.size === 1 && second.working.size === 1;
      return Promise.resolve(shared ? true : undefined);
    });
    expect([...second.working.values(), ...third.working.values()].map(({ shards }) => shards)).toEqual([2, 2]);
  });

  test('are told when somebody else took a run: another at their shard, one without a shard, but not one at another', async () => {
    await openShardLeases(bench.db, { me: 'test', shards: 2 });
    const mine = new ShardRuns(bench.db, { shard: 0, shards: 2 });
    const disturbed = async (by: () => Promise<unknown>) => {
      await mine.take();
      mine.isDisturbed = false;
      await by();
      await mine.take();
      return mine.isDisturbed;
    };
    expect(await disturbed(async () => mine.take())).toBe(false);
    expect(await disturbed(async () => new ShardRuns(bench.db, { shard: 1, shards: 2 }).take())).toBe(false);
    expect(await disturbed(async () => new ShardRuns(bench.db, { shard: 0, shards: 2 }).take())).toBe(true);
    expect(await disturbed(async () => nextRun(bench.db))).toBe(true);
    expect(await disturbed(async () => openShardLeases(bench.db, { me: 'test', shards: 3 }))).toBe(true);
    await openShardLeases(bench.db, { me: 'test', shards: 1 });
    await expect(new ShardRuns(bench.db, { shard: 1, shards: 2 }).take()).rejects.toMatchObject({ code: 'SHARD_GONE' });
  });

  test('take a block off the list together, whoever is last, also at the same moment', async () => {
    const shards = 3;
    await openShardLeases(bench.db, { me: 'test', shards });
    for (let round = 0; round < 10; round += 1) {
      const at = new Date(Date.UTC(2026, 9, 3, 10)).toISOString();
      await bench.store([{ id: `e-${round}`, at, offset: round }]);
      const done = async (shard: number) => {
        const deps = { ...bench.deps, shard: { shard, shards } };
        const pending = await fetchPending(deps);
        expect(pending).toHaveLength(1);
        await finish(deps, { pending, run: '7', hours: 1 });
        expect(await fetchPending(deps)).toEqual([]);
      };
      await done(round % shards);
      expect(await fetchPending(bench.deps)).toHaveLength(1);
      await Promise.all([done((round + 1) % shards), done((round + 2) % shards)]);
      expect(await fetchPending(bench.deps)).toEqual([]);
    }
    expect(await bench.db.selectFrom('rollup_shards_done').selectAll().execute()).toEqual([]);
  });

  test('do a block again that only some shards of another number had done', async () => {
    await bench.store([{ id: 'e', at: new Date(Date.UTC(2026, 9, 3, 10)).toISOString(), offset: 0 }]);
    const two = { ...bench.deps, shard: { shard: 0, shards: 2 } };
    await finish(two, { pending: await fetchPending(two), run: '7', hours: 1 });
    for (const shards of [1, 3])
      expect(await fetchPending({ ...bench.deps, shard: { shard: 0, shards } })).toHaveLength(1);
  });
});
