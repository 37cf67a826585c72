import { afterEach, expect, test } from 'vitest';
import { advanceClock, createClock, type BusinessClockTables } from '../../platform/clock.ts';
import { createLog } from '../../platform/log.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { eventually } from '../../stack/testing/eventually.ts';
import { createWebhookSource } from '../billing/stripe-webhooks.ts';
import { fetchProgress, startClose } from '../door.ts';
import { fetchRunAccount } from '../store/runs.ts';
import { createCloseWorld, type CloseWorld } from '../testing/close-world.ts';
import { startWebhooks } from './start.ts';
import type { WebhookTables } from './tables.ts';
import { createCloseWaker } from './wake-close.ts';

const log = createLog('webhooks', 'silent');
let world: CloseWorld;
let ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.toReversed()) await end();
  ending = [];
  await world.end();
});

/** The door at which the simulated Stripe rings, open until the test ends. */
async function openDoor(): Promise<void> {
  const [url, key] = [process.env['TRUEUP_STRIPE_URL'] ?? '', process.env['TRUEUP_STRIPE_KEY'] ?? ''];
  const secrets: string[] = [];
  const clockDb = createPostgres<BusinessClockTables>(world.postgresUrl);
  const db = createPostgres<WebhookTables>(world.postgresUrl);
  const stopping = new AbortController();
  const stops: (() => Promise<unknown> | void)[] = [];
  const at = await startWebhooks({
    host: '127.0.0.1',
    port: 0,
    db,
    source: createWebhookSource({ key, url, secrets }),
    clock: createClock('simulated', clockDb),
    log,
    shutdown: { signal: stopping.signal, onStop: (_name, stop) => void stops.push(stop) },
    onChange: createCloseWaker({ client: world.client, log }),
  });
  const endpoint = (await world.stripe.post('/v1/webhook_endpoints', {
    url: at,
    'enabled_events[0]': 'invoice.created',
  })) as { id: string; secret: string };
  secrets.push(endpoint.secret);
  ending.push(async () => {
    await fetch(`${url}/v1/webhook_endpoints/${endpoint.id}`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${key}` },
    });
    stopping.abort();
    for (const stop of stops.toReversed()) await stop();
    await db.destroy();
    await clockDb.destroy();
  });
}

test('a draft that is made after the close began is claimed when it rings, not at the next round', async () => {
  world = await createCloseWorld([{ name: 'acme', plan: 'developer', usage: { actions: 100_000n } }]);
  await openDoor();
  await world.startWorker();
  const { endAtMs, key } = world.period;
  const clockDb = createPostgres<BusinessClockTables>(world.postgresUrl);
  ending.push(async () => clockDb.destroy());
  await advanceClock(clockDb, endAtMs);
  await startClose(world.client, key);
  await eventually(60_000, async () =>
    (await fetchProgress(world.client, key)).stage === 'grace' ? 'grace' : undefined,
  );
  const claimed = async () =>
    (await fetchRunAccount(world.db, { run: `close-${key}`, account: world.id('acme') })).invoices;
  expect(await claimed()).toEqual([]);

  await world.advance(endAtMs);
  const found = await eventually(60_000, async () => {
    const invoices = await claimed();
    return invoices.length > 0 ? invoices : undefined;
  });
  expect(found).toMatchObject([{ draft: true }]);
}, 180_000);
