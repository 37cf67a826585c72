// Whether each server answers a real request within a deadline. Reads only.

import { sql } from 'kysely';
import type { WatchDeps } from '../deps.ts';
import { readWithin } from '../part.ts';
import type { ServerName, Servers } from '../standing.ts';

const ANSWER_WITHIN_MS = 3_000;
/** The biller counts requests, so it is asked seldom and the last answer holds meanwhile. */
const STRIPE_EVERY_MS = 60_000;

export function createServersLook(deps: WatchDeps): () => Promise<Servers> {
  let stripe: { atMs: number; answer: string | null } | undefined;
  const askStripe = async () => {
    const nowMs = performance.now();
    // One that was away is asked again at once.
    if (stripe === undefined || stripe.answer !== null || nowMs - stripe.atMs >= STRIPE_EVERY_MS) {
      stripe = { atMs: nowMs, answer: await ask(async () => deps.askStripe()) };
    }
    return stripe.answer;
  };
  return async () => {
    const answers: Readonly<Record<ServerName, Promise<string | null>>> = {
      kafka: ask(async () => deps.fetchEndOffsets()),
      clickhouse: ask(async () => deps.clickhouse.query('SELECT 1')),
      postgres: ask(async () => sql`SELECT 1`.execute(deps.db)),
      redis: ask(async () => deps.askRedis()),
      temporal: ask(async () => deps.askTemporal()),
      stripe: askStripe(),
    };
    const settled = Object.entries(answers).map(async ([name, answer]) => [name, await answer] as const);
    return Object.fromEntries(await Promise.all(settled)) as Servers;
  };
}

async function ask(request: () => Promise<unknown>): Promise<string | null> {
  const answer = await readWithin(ANSWER_WITHIN_MS, request);
  return answer.ok ? null : answer.error;
}
