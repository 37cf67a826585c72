import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { HOUR_MS } from '../../domain/period.ts';
import { TASK_QUEUE } from '../activity-types.ts';
import { createStripeBilling } from '../billing/stripe.ts';
import { fetchPushed, recordPushed } from '../store/pushes.ts';
import { createCloseWorld, type CloseWorld, type WorldAccount } from '../testing/close-world.ts';
import type { pushOpenHours } from '../workflows.ts';
import { readBackPushes } from './pushes.ts';

let world: CloseWorld;
afterEach(async () => world.end());

const dev: WorldAccount = { name: 'dev', plan: 'developer', usage: { actions: 24_000_000n }, hours: 24 };
const idle: WorldAccount = { name: 'idle', plan: 'developer', usage: { actions: 1_000n }, hours: 1 };

let runs = 0;
async function push(): Promise<number> {
  runs += 1;
  return world.client.workflow.execute<typeof pushOpenHours>('pushOpenHours', {
    workflowId: `push-${runs}`,
    taskQueue: TASK_QUEUE,
  });
}

async function readBack(): Promise<number> {
  const { db, accounts, billing, period } = world;
  return readBackPushes({ db, accounts, billing, periods: [period] });
}

describe('the record of pushes of an older Postgres', () => {
  test('is made again from what Stripe holds, so that hours which changed and changed back, or emptied, come right', async () => {
    world = await createCloseWorld([dev, idle]);
    await world.startWorker();
    await world.advance(world.period.startAtMs + 24 * HOUR_MS);
    const customer = await world.customer('dev');
    const { startAtMs } = world.period;
    // Sent, and forgotten with the Postgres that knew it: the first hour was larger then, and an empty one was not empty.
    const ref = { account: world.id('dev'), customer };
    const forgotten = [
      { meter: 'actions' as const, hourAtMs: startAtMs, quantity: 9_000_000n },
      { meter: 'retained_storage' as const, hourAtMs: startAtMs, quantity: 7n },
    ];
    await world.billing.pushHours(ref, forgotten, startAtMs + HOUR_MS);
    // What the older record says is what is right now, so nothing would be sent.
    await recordPushed(world.db, customer, [
      { meter: 'actions', hourAtMs: startAtMs, quantity: 1_000_000n },
      { meter: 'retained_storage', hourAtMs: startAtMs, quantity: 0n },
    ]);
    expect(await readBack()).toBe(1);
    expect(await fetchPushed(world.db, customer, world.period)).toEqual(forgotten);
    expect(await push()).toBe(24 + 1 + 1);
    expect(await world.billing.fetchSummary(ref, 'actions', world.period)).toBe(24_000_000n);
    expect(await world.billing.fetchSummary(ref, 'retained_storage', world.period)).toBe(0n);
    expect(await readBack()).toBe(0);
  });
});

describe('an account that an older Postgres does not know', () => {
  test('is registered again with the customer and subscription it has, also when no idempotency key remembers them', async () => {
    world = await createCloseWorld([dev]);
    const customer = await world.customer('dev');
    const { TRUEUP_STRIPE_URL: url = '', TRUEUP_STRIPE_KEY: key = '' } = process.env;
    const forgetful = await startWithoutKeys(url);
    const later = createStripeBilling({ key, url: forgetful.url });
    const testClock = String((await world.stripe.get(`/v1/customers/${customer}`))['test_clock']);
    expect(await later.ensureCustomer(world.id('dev'), { testClock })).toBe(customer);
    await forgetful.close();
  });
});

/** Stripe a day later, when it has forgotten the keys: they are not handed on. */
async function startWithoutKeys(target: string): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { authorization = '', 'content-type': type = 'application/x-www-form-urlencoded' } = request.headers;
      const body = request.method === 'POST' ? { body: Buffer.concat(chunks).toString() } : {};
      const headers = { authorization, 'content-type': type };
      void fetch(new URL(request.url ?? '/', target), { method: request.method ?? 'GET', headers, ...body }).then(
        async (answer) => {
          response.writeHead(answer.status, { 'content-type': 'application/json' });
          response.end(await answer.text());
        },
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
