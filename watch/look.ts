// One look at everything. Each part is looked at by itself and within a deadline, so that one server that is away takes
// only what it knows out of the answer. Reads only; two watchers at once only look twice.

import { setTimeout as delay } from 'node:timers/promises';
import { computeHoldState, fetchAllHolds, fetchBooks, fetchOutbox } from '../reconcile/books.ts';
import { fetchWorkflows } from '../reconcile/door.ts';
import type { WatchDeps } from './deps.ts';
import { lookAtPeriod } from './parts/period.ts';
import { lookAtFindings, lookAtLog, lookAtRollup } from './parts/pipeline.ts';
import { createServersLook } from './parts/servers.ts';
import { lookAtClock, lookAtStorage } from './parts/storage.ts';
import type { Part, PartName, Standing, Values } from './standing.ts';

const PART_WITHIN_MS = 8_000;

export function createLook(deps: WatchDeps): () => Promise<Standing> {
  const lookAtServers = createServersLook(deps);
  const looks: { readonly [Name in PartName]: () => Promise<Values[Name]> } = {
    servers: lookAtServers,
    log: async () => lookAtLog(deps),
    rollup: async () => lookAtRollup(deps, await lookAtLog(deps)),
    findings: async () => lookAtFindings(deps),
    period: async () => lookAtPeriod(deps),
    books: async () => fetchBooks(deps.db),
    holds: async () => {
      const nowMs = await deps.clock.now();
      return (await fetchAllHolds(deps.db)).filter((hold) => computeHoldState(hold, nowMs) === 'in force');
    },
    outbox: async () => fetchOutbox(deps.db, await deps.clock.now()),
    workflows: async () => fetchWorkflows(deps.temporal, Date.now()),
    storage: async () => lookAtStorage(deps),
    clock: async () => lookAtClock(deps),
  };
  return async () => {
    const parts = await Promise.all(
      Object.entries(looks).map(async ([name, look]) => [name, await take<unknown>(look)] as const),
    );
    return { atMs: Date.now(), ...(Object.fromEntries(parts) as Omit<Standing, 'atMs'>) };
  };
}

async function take<Value>(look: () => Promise<Value>): Promise<Part<Value>> {
  const late = delay(PART_WITHIN_MS, undefined, { ref: false }).then((): never => {
    throw new Error(`no answer within ${PART_WITHIN_MS} ms`);
  });
  late.catch(() => undefined);
  try {
    return { ok: true, value: await Promise.race([look(), late]) };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}
