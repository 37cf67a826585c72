// One look at everything. Each part is looked at by itself and within a deadline, so that one server that is away takes
// only what it knows out of the answer. Reads only; two watchers at once only look twice.

import { computeHoldState, fetchAllHolds, fetchBooks, fetchOutbox } from '../reconcile/books.ts';
import { fetchWorkflows } from '../reconcile/door.ts';
import type { WatchDeps } from './deps.ts';
import { lookAtFindings, lookAtLog, lookAtRollup } from './parts/pipeline.ts';
import { createServersLook } from './parts/servers.ts';
import { lookAtClock, lookAtStorage } from './parts/storage.ts';
import { readWithin } from './part.ts';
import { lookAtPeriod } from './parts/period.ts';
import type { LogStanding, PartName, Standing, Values } from './standing.ts';

const PART_WITHIN_MS = 8_000;

export function createLook(deps: WatchDeps): () => Promise<Standing> {
  const lookAtServers = createServersLook(deps);
  /** Two parts rest on how far the log is stored, which is read once for both. */
  const begin = (log: Promise<LogStanding>): { readonly [Name in PartName]: () => Promise<Values[Name]> } => ({
    servers: lookAtServers,
    log: async () => log,
    rollup: async () => lookAtRollup(deps, await log),
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
  });
  return async () => {
    const looks = Object.entries(begin(lookAtLog(deps)));
    const parts = await Promise.all(
      looks.map(async ([name, look]) => [name, await readWithin<unknown>(PART_WITHIN_MS, look)] as const),
    );
    return { atMs: Date.now(), ...(Object.fromEntries(parts) as Omit<Standing, 'atMs'>) };
  };
}
