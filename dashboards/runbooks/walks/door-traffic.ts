// A source that sends one event after another to the HTTP door, whatever the answer, as sources do.

import { createPrincipals, type PrincipalTables } from '../../../accounts/principals.ts';
import { toIso } from '../../../domain/period.ts';
import type { Postgres } from '../../../platform/postgres.ts';

export type DoorTraffic = {
  /** Posts a request of these lines and returns the status; undefined when nobody answered. */
  readonly post: (key: string, lines: readonly string[]) => Promise<number | undefined>;
  readonly createKey: (source: string, eventsPerSecond: number) => Promise<string>;
  stop(): void;
};

type Options = {
  readonly url: string;
  readonly db: Postgres<PrincipalTables>;
  readonly subject: string;
  /** What every event is dated. */
  readonly atMs: number;
};

const EVERY_MS = 400;
const SOURCE = '/door';

export async function startDoorTraffic({ url, db, subject, atMs }: Options): Promise<DoorTraffic> {
  const principals = createPrincipals(db);
  const ended = new AbortController();
  let sent = 0;
  const post = async (key: string, lines: readonly string[]) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' };
    const request = { method: 'POST', headers, body: lines.join('\n'), signal: ended.signal };
    const response = await fetch(url, request).catch(() => undefined);
    await response?.arrayBuffer().catch(() => undefined);
    return response?.status;
  };
  const createKey = async (source: string, eventsPerSecond: number) => {
    const made = await principals.createKey({
      env: 'test',
      source,
      accounts: 'all',
      eventsPerSecond,
      nowMs: Date.now(),
    });
    if (!made.created) throw new Error(`no key for ${source}`);
    return made.text;
  };
  const key = await createKey(SOURCE, 1_000);
  const timer = setInterval(() => {
    sent += 1;
    const event = { specversion: '1.0', id: `door-${sent}`, source: SOURCE, type: 'query', subject, time: toIso(atMs) };
    void post(key, [JSON.stringify(event)]);
  }, EVERY_MS);
  return {
    post,
    createKey,
    stop: () => {
      clearInterval(timer);
      ended.abort();
    },
  };
}
