// A standing in which all is well, for tests of what is made of one.

import type { Parts, Standing } from '../standing.ts';

export const NOON_MS = Date.UTC(2026, 9, 15, 12);

/** Each part read, with nothing waiting and nothing wrong, at noon of the 15th of October 2026. */
export function wellStanding(over: Partial<Parts> = {}, atMs = NOON_MS): Standing {
  const well: Parts = {
    servers: read({ kafka: null, clickhouse: null, postgres: null, redis: null, temporal: null, stripe: null }),
    log: read({ ends: [10n, 20n], stored: [10n, 20n] }),
    rollup: read({ pendingBlocks: 0, oldestPendingMs: 0, rolledUp: [10n, 20n] }),
    findings: read({ open: [], announced: 1_000n, missing: 0n }),
    period: read({ steps: [] }),
    books: read({ unsettled: [], newestRun: null }),
    holds: read([]),
    outbox: read({
      doorbells: { messages: 0, oldestDueMs: 0 },
      refetches: { messages: 0, oldestDueMs: 0 },
      repairs: { messages: 0, oldestDueMs: 0 },
    }),
    workflows: read({ running: [], failed: [] }),
    storage: read({ diskFreeRatio: 0.5, replicas: 0, replicationLagMs: 0 }),
    clock: read({ businessNowMs: NOON_MS, databaseSkewMs: 0 }),
  };
  return { ...well, ...over, atMs };
}

export function read<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function unread(error: string): { readonly ok: false; readonly error: string } {
  return { ok: false, error };
}
