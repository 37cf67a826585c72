import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Stripe } from 'stripe';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { catalogue, launch, type Running } from '../../fixtures/stripe/testing/simulator.ts';
import { createLog } from '../../platform/log.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { createFreshDatabases } from '../../platform/testing/fresh-databases.ts';
import { eventually } from '../../stack/testing/eventually.ts';
import { createWebhookSource } from '../billing/stripe-webhooks.ts';
import type { WebhookProcessInput } from '../testing/webhook-process.ts';
import type { ObjectState, WebhookSource } from './port.ts';
import { createProcessor, type Processor } from './process.ts';
import { startReceiver, type Receiver } from './receiver.ts';
import { startWebhooks } from './start.ts';
import { sweep } from './sweep.ts';
import type { WebhookDb, WebhookTables } from './tables.ts';

const log = createLog('webhooks', 'silent');
const PROCESS = new URL('../testing/webhook-process.ts', import.meta.url).pathname;
let running: Running;
let stripe: Stripe;
let postgresUrl: string;
let db: WebhookDb;
let secrets: string[];
let source: WebhookSource;
let receiver: Receiver;
let processor: Processor;
let changes: ObjectState[];

beforeAll(async () => {
  running = await launch();
  stripe = running.stripe;
});
afterAll(async () => running.stop());

beforeEach(async () => {
  const databases = await createFreshDatabases('webhooks');
  await databases.close();
  postgresUrl = databases.postgresUrl;
  db = createPostgres<WebhookTables>(postgresUrl);
  secrets = [];
  changes = [];
  source = createWebhookSource({ key: 'sk_test_trueup', url: running.url, secrets });
  processor = startProcessor();
  receiver = await startReceiver({ host: '127.0.0.1', port: 0, db, source, log, onRung: () => undefined });
});
afterEach(async () => {
  await running.clearFaults();
  for (const { id } of (await stripe.webhookEndpoints.list()).data) await stripe.webhookEndpoints.del(id);
  await receiver.stop();
  await db.destroy();
});

function startProcessor(): Processor {
  const onChange = async (state: ObjectState) => {
    changes.push(state);
    return Promise.resolve();
  };
  return createProcessor({ db, source, onChange, log });
}

async function subscribeTo(url: string, ...events: Stripe.WebhookEndpointCreateParams.EnabledEvent[]): Promise<void> {
  const endpoint = await stripe.webhookEndpoints.create({ url, enabled_events: events });
  secrets.push(endpoint.secret ?? '');
}

async function draft(account = 'someone'): Promise<string> {
  const customer = await stripe.customers.create({ name: 'Ada', email: 'ada@example.com', metadata: { account } });
  await stripe.invoiceItems.create({ customer: customer.id, amount: 100, currency: 'usd' });
  const invoice = await stripe.invoices.create({
    customer: customer.id,
    collection_method: 'send_invoice',
    days_until_due: 30,
    pending_invoice_items_behavior: 'include',
  });
  return invoice.id;
}

const events = async () => db.selectFrom('stripe_events').selectAll().orderBy('received_at').execute();
const typesOf = async () => (await events()).map(({ type, origin, state }) => [type, origin, state]);
const statusOf = async (id: string) =>
  (await db.selectFrom('stripe_refetches').selectAll().where('object_id', '=', id).executeTakeFirst())?.status;

/** Until the outbox of the simulator holds nothing that is still to be delivered. */
async function untilDelivered(): Promise<void> {
  await eventually(15_000, async () => {
    const stats = (await (await fetch(`${running.url}/_admin/stats`)).json()) as { deliveries: Record<string, number> };
    const open = ['new', 'pending', 'held'].filter((state) => (stats.deliveries[state] ?? 0) > 0);
    expect(open).toEqual([]);
    return stats;
  });
}

const sample = (id: string) =>
  JSON.stringify({
    id,
    object: 'event',
    type: 'invoice.paid',
    created: 1_790_812_800,
    data: { object: { id: 'in_nowhere', object: 'invoice', customer_email: 'ada@example.com' } },
  });

async function post(body: string | Buffer, signature: string, url = receiver.url) {
  const answer = await fetch(url, { method: 'POST', headers: { 'stripe-signature': signature }, body });
  return [answer.status, ((await answer.json()) as { code: string }).code];
}

function sign(payload: string, { secret = secrets[0] ?? '', agoS = 0 } = {}): string {
  const timestamp = Math.floor(Date.now() / 1000) - agoS;
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
}

describe('an event that rings', () => {
  test('is stored before it is answered, and its object is read again', async () => {
    await subscribeTo(receiver.url, 'invoice.created', 'invoice.finalized');
    const invoice = await draft();
    await stripe.invoices.finalizeInvoice(invoice);
    await untilDelivered();
    expect(await typesOf()).toEqual([
      ['invoice.created', 'rung', 'received'],
      ['invoice.finalized', 'rung', 'received'],
    ]);
    await processor.drain();
    expect(changes).toEqual([{ kind: 'invoice', id: invoice, status: 'open' }]);
    expect(await statusOf(invoice)).toBe('open');
  });

  test('counts once when it is delivered twice', async () => {
    await subscribeTo(receiver.url, 'invoice.created');
    await running.plant({ kind: 'webhook', effect: 'double', times: 1 });
    await draft();
    await untilDelivered();
    expect(await typesOf()).toEqual([['invoice.created', 'rung', 'received']]);
  });

  test('leaves the object as it is now, in whatever order events arrive', async () => {
    await subscribeTo(receiver.url, 'invoice.created', 'invoice.finalized');
    await running.plant({ kind: 'webhook', effect: 'reorder', type_prefix: 'invoice.created', times: 1 });
    const invoice = await draft();
    await stripe.invoices.finalizeInvoice(invoice);
    await untilDelivered();
    const arrived = await typesOf();
    expect(arrived.map(([type]) => type)).toEqual(['invoice.finalized', 'invoice.created']);
    await processor.drain();
    expect(await statusOf(invoice)).toBe('open');
  });

  test('rings again for a change during the read', async () => {
    await subscribeTo(receiver.url, 'invoice.created', 'invoice.finalized');
    const invoice = await draft();
    await untilDelivered();
    const reading = createProcessor({
      db,
      source: {
        ...source,
        fetchState: async (target) => {
          const state = await source.fetchState(target);
          if (state.status === 'draft') {
            await stripe.invoices.finalizeInvoice(invoice);
            await untilDelivered();
            // Another process settles the event meanwhile.
            expect(await processor.drain()).toBe(1);
          }
          return state;
        },
      },
      onChange: async () => Promise.resolve(),
      log,
    });
    await reading.drain();
    expect(await statusOf(invoice)).toBe('open');
  });

  test('leaves nothing of its payload but ids', async () => {
    await subscribeTo(receiver.url, 'invoice.created');
    await draft();
    await untilDelivered();
    await processor.drain();
    const kept = JSON.stringify([await events(), await db.selectFrom('stripe_refetches').selectAll().execute()]);
    expect(kept).not.toMatch(/Ada|ada@|someone/);
  });
});

describe('the signature', () => {
  beforeEach(() => secrets.push('whsec_new', 'whsec_old'));

  test('is taken under either of two secrets, so that one can be replaced', async () => {
    const [first, second] = [sample('evt_1'), sample('evt_2')];
    expect(await post(first, sign(first))).toEqual([200, 'STORED']);
    expect(await post(second, sign(second, { secret: 'whsec_old' }))).toEqual([200, 'STORED']);
    expect(await post(second, sign(second))).toEqual([200, 'KNOWN']);
  });

  test('refuses another secret, an altered byte, a missing header, and stores nothing', async () => {
    const body = sample('evt_forged');
    const altered = Buffer.from(body);
    altered[20] = (altered[20] ?? 0) ^ 1;
    expect(await post(body, sign(body, { secret: 'whsec_other' }))).toEqual([400, 'SIGNATURE_INVALID']);
    expect(await post(altered, sign(body))).toEqual([400, 'SIGNATURE_INVALID']);
    expect(await post(`${body} `, sign(body))).toEqual([400, 'SIGNATURE_INVALID']);
    expect(await post(body, '')).toEqual([400, 'SIGNATURE_INVALID']);
    expect(await post('[]', sign('[]'))).toEqual([400, 'BODY_INVALID']);
    expect(await events()).toEqual([]);
  });

  test('is good for 300 seconds', async () => {
    const body = sample('evt_old');
    expect(await post(body, sign(body, { agoS: 310 }))).toEqual([400, 'SIGNATURE_STALE']);
    expect(await post(body, sign(body, { agoS: 310, secret: 'whsec_other' }))).toEqual([400, 'SIGNATURE_INVALID']);
    expect(await post(body, sign(body, { agoS: 290 }))).toEqual([200, 'STORED']);
  });

  test('is not even looked for in a body of more than a mebibyte', async () => {
    const body = 'x'.repeat(4 * 1024 * 1024);
    expect(await post(body, sign(body))).toEqual([413, 'BODY_TOO_LARGE']);
  });
});

describe('what never rang', () => {
  const nowMs = () => Date.now() + 60_000;

  test('is found by the sweep, marked as swept, and found only once', async () => {
    await subscribeTo(receiver.url, 'invoice.created', 'invoice.finalized');
    await running.plant({ kind: 'webhook', effect: 'lose', account: 'lost', times: 2 });
    const invoice = await draft('lost');
    await stripe.invoices.finalizeInvoice(invoice);
    await untilDelivered();
    expect(await events()).toEqual([]);
    const found = await sweep({ db, source, nowMs: nowMs() });
    expect(found.events).toBeGreaterThanOrEqual(2);
    await processor.drain();
    expect(await statusOf(invoice)).toBe('open');
    expect(new Set((await events()).map(({ origin }) => origin))).toEqual(new Set(['swept']));
    expect(await sweep({ db, source, nowMs: nowMs() })).toEqual({ events: 0, invoices: 0 });
  });

  test('is found by the invoice’s own state when the event is gone as well', async () => {
    const invoice = await draft();
    const forgetful: WebhookSource = { ...source, listDoorbells: async function* () {} };
    await sweep({ db, source: forgetful, nowMs: nowMs() });
    await processor.drain();
    expect(await statusOf(invoice)).toBe('draft');
    await stripe.invoices.finalizeInvoice(invoice);
    expect(await sweep({ db, source: forgetful, nowMs: nowMs() })).toEqual({ events: 0, invoices: 1 });
    await processor.drain();
    expect(await statusOf(invoice)).toBe('open');
  });
});

describe('processes', () => {
  test('two receivers and two processors at once settle each event once', async () => {
    secrets.push('whsec_new');
    const second = await startReceiver({ host: '127.0.0.1', port: 0, db, source, log, onRung: () => undefined });
    const bodies = Array.from({ length: 20 }, (_, index) => sample(`evt_${index}`));
    const answers = await Promise.all(
      bodies.flatMap((body) => [post(body, sign(body)), post(body, sign(body), second.url)]),
    );
    expect(answers.filter(([, code]) => code === 'STORED')).toHaveLength(20);
    expect(answers.filter(([, code]) => code === 'KNOWN')).toHaveLength(20);
    await Promise.all([processor.drain(), startProcessor().drain()]);
    expect((await events()).map(({ state, attempts }) => [state, attempts])).toEqual(
      bodies.map(() => ['processed', 1]),
    );
    const row = await db.selectFrom('stripe_refetches').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ object_id: 'in_nowhere', rung: '20', served: '20', status: 'missing' });
    await second.stop();
  });

  test.each(['taking', 'reading'] as const)('killed before or while %s, the next one goes on', async (stuckAt) => {
    const port = Number(new URL(receiver.url).port);
    await receiver.stop();
    await subscribeTo(receiver.url, 'invoice.created');
    const first = await spawnProcess({ port, stuckAt });
    const invoice = await draft();
    await eventually(10_000, async () => {
      const [event] = await events();
      return event?.state === (stuckAt === 'taking' ? 'received' : 'processed') ? event : undefined;
    });
    first.kill('SIGKILL');
    await once(first, 'exit');
    expect(await statusOf(invoice)).not.toBe('draft');
    const next = await spawnProcess({ port, stuckAt: null });
    await eventually(10_000, async () => ((await statusOf(invoice)) === 'draft' ? true : undefined));
    next.kill('SIGKILL');
    await once(next, 'exit');
  });
});

async function spawnProcess(of: Pick<WebhookProcessInput, 'port' | 'stuckAt'>): Promise<ChildProcess> {
  const input: WebhookProcessInput = { ...of, postgresUrl, stripeUrl: running.url, secrets };
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(input)], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface({ input: child.stdout }), 'line');
  return child;
}

test('a started process sweeps at once, listens, reads again what rings, and stops', async () => {
  const stopping = new AbortController();
  const closers: (() => Promise<unknown> | void)[] = [];
  const invoice = await draft();
  const url = await startWebhooks({
    host: '127.0.0.1',
    port: 0,
    db,
    source,
    clock: { simulated: false, now: async () => Promise.resolve(Date.now()) },
    log,
    shutdown: { signal: stopping.signal, onStop: (_name, close) => closers.push(close) },
    onChange: async () => Promise.resolve(),
  });
  await eventually(10_000, async () => ((await statusOf(invoice)) === 'draft' ? true : undefined));
  await subscribeTo(url, 'invoice.finalized');
  await stripe.invoices.finalizeInvoice(invoice);
  await eventually(10_000, async () => ((await statusOf(invoice)) === 'open' ? true : undefined));
  stopping.abort();
  for (const close of closers.toReversed()) await close();
  await expect(post('{}', '', url)).rejects.toThrow();
});

test('usage that Stripe could not take is kept with its code, count and samples', async () => {
  const thin = ['v1.billing.meter.error_report_triggered', 'v1.billing.meter.no_meter_found'];
  const destination = await stripe.v2.core.eventDestinations.create({
    name: 'meters',
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: thin,
    webhook_endpoint: { url: receiver.url },
    include: ['webhook_endpoint.signing_secret'],
  });
  secrets.push(destination.webhook_endpoint?.signing_secret ?? '');
  const { meter, eventName } = await catalogue(stripe);
  const session = await stripe.v2.billing.meterEventSession.create();
  const payload = { stripe_customer_id: 'cus_nobody', value: '1' };
  const sent = [eventName, eventName, 'read_by_no_meter'].map((event_name, index) => ({
    event_name,
    identifier: `id-${index}`,
    payload,
  }));
  await stripe.v2.billing.meterEventStream.create({ events: sent }, { apiKey: session.authentication_token });
  await untilDelivered();
  await processor.drain();
  const kept = await db.selectFrom('meter_errors').selectAll().orderBy('error_count', 'desc').execute();
  expect(kept).toMatchObject([
    { code: 'meter_event_customer_not_found', meter: meter.id, error_count: '2', sample_ids: ['id-0', 'id-1'] },
    { code: 'no_meter', meter: null, error_count: '1', sample_ids: ['id-2'] },
  ]);
  const states = (await events()).map(({ state, thin: isThin }) => [state, isThin]);
  expect(states).toEqual([
    ['processed', true],
    ['processed', true],
  ]);
  await stripe.v2.core.eventDestinations.del(destination.id);
});
