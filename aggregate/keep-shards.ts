// Starts the work of a shard when this process owns it, and ends it when it doesn't any more. Looks every second.
// When a look fails: what was owned goes on; at worst two processes work on one shard for a while, which costs time only.

import type { Log } from '../platform/log.ts';
import type { ShardLeases } from './shard-leases.ts';
import type { Shard } from './shards.ts';

export type ShardWork = { stop(): Promise<void> };

export type KeepShardsOptions = {
  readonly leases: ShardLeases;
  readonly start: (shard: Shard) => ShardWork;
  readonly everyMs: number;
  readonly log: Log;
};

export type KeptShards = {
  /** Numbers of the shards that are worked on now. */
  owned(): ReadonlySet<number>;
  /** Ends all work, then gives the shards back. */
  close(): Promise<void>;
};

export function keepShards({ leases, start, everyMs, log }: KeepShardsOptions): KeptShards {
  const working = new Map<string, { readonly shard: Shard; readonly work: ShardWork }>();
  const stop = async (key: string) => {
    const member = working.get(key);
    working.delete(key);
    await member?.work.stop();
  };
  const look = async () => {
    const held = new Map((await leases.hold()).map((shard) => [`${shard.shard} of ${shard.shards}`, shard]));
    for (const [key, shard] of held) {
      if (working.has(key)) continue;
      log.info(shard, 'owns a shard of the rollup');
      working.set(key, { shard, work: start(shard) });
    }
    const lost = [...working.keys()].filter((key) => !held.has(key));
    for (const key of lost) log.info({ shard: key }, 'owns a shard no more');
    await Promise.all(lost.map(stop));
  };
  let isClosed = false;
  let looking = Promise.resolve();
  const again = () => {
    if (isClosed) return;
    looking = looking
      .then(look)
      .catch((error: unknown) => log.warn({ error: String(error) }, 'could not look which shards are owned'));
  };
  again();
  const timer = setInterval(again, everyMs);
  return {
    owned: () => new Set([...working.values()].map(({ shard }) => shard.shard)),
    close: async () => {
      isClosed = true;
      clearInterval(timer);
      await looking;
      await Promise.all([...working.keys()].map(stop));
      await leases.release();
    },
  };
}
