// Servers and processes that hang, fail or come and go.

import { INTAKE_LIMITS } from '../../../../domain/contracts/intake.ts';
import type { Stack } from '../../../../stack/stack.ts';
import { insertDoorbell } from '../../../../reconcile/webhooks/events.ts';
import { createSimulatedStripe } from '../../../../reconcile/testing/simulated-stripe.ts';
import { untilSeen } from '../soon.ts';
import type { Scene } from '../walk.ts';
import type { World } from '../world.ts';

const PROMPT_MS = 60_000;

type Server = Parameters<Stack['pid']>[0];

function signal(stack: Stack, server: Server, name: 'SIGSTOP' | 'SIGCONT'): void {
  const pid = stack.pid(server);
  if (pid === undefined) throw new Error(`${server} has no process`);
  process.kill(pid, name);
}

const door = (world: World) => ({ code: 'NOT_ACKNOWLEDGED', address: world.addressOf('http') });

export const KAFKA_HANGS: Scene = {
  name: 'Kafka hangs',
  looksHang: true,
  expects: [
    { alert: 'DependencyDown', labels: { severity: 'page', dependency: 'kafka' }, fill: () => ({ server: 'kafka' }) },
    {
      alert: 'ProcessNotReady',
      labels: { severity: 'page', process: 'ingest', check: 'consumption' },
      fill: (world) => ({ process: 'ingest', check: 'consumption', address: world.addressOf('ingest') }),
    },
    {
      alert: 'ApiAvailabilityBurn',
      labels: { severity: 'page' },
      fill: door,
      // The door waits ten seconds for the broker before it refuses anything.
      begins: async ({ prometheus }) =>
        prometheus.untilAsked('trueup_http_requests_total{route="events",code_class="5xx"} >= 5', PROMPT_MS),
    },
    {
      alert: 'ApiLatencyBurn',
      labels: { severity: 'page' },
      begins: async ({ prometheus }) =>
        prometheus.untilAsked('trueup_http_requests_total{route="events",code_class="5xx"} >= 5', PROMPT_MS),
    },
    { alert: 'UsageFreshnessBurn', labels: { severity: 'page' } },
    {
      alert: 'OutageSettling',
      labels: { outage: 'DependencyDown' },
      fill: () => ({ outage: 'DependencyDown' }),
      begins: async ({ prometheus }) =>
        prometheus.untilAsked('ALERTS{alertname="DependencyDown",alertstate="firing"}', PROMPT_MS),
    },
  ],
  breaks: ({ stack }) => Promise.resolve(signal(stack, 'kafka', 'SIGSTOP')),
  mends: ({ stack }) => Promise.resolve(signal(stack, 'kafka', 'SIGCONT')),
};

const FAILING_INVOICES = 20;

/** Invoices that rang and can't be read: Stripe answers 500. */
export const STRIPE_FAILS: Scene = {
  name: 'Stripe fails',
  expects: [
    {
      alert: 'StripeErrors',
      labels: { severity: 'ticket' },
      fill: () => ({ outcome: 'server_error', resource: 'invoices' }),
    },
  ],
  breaks: async ({ clients }) => {
    const stripe = createSimulatedStripe(clients.stripe.url, clients.stripe.key);
    await stripe.plant({
      kind: 'http',
      method: 'GET',
      path_prefix: '/v1/invoices/in_rung',
      status: 500,
      times: 100_000,
    });
    for (let n = 0; n < FAILING_INVOICES; n += 1) {
      const object = { object: 'invoice', objectId: `in_rung${n}`, invoiceId: null } as const;
      const doorbell = {
        eventId: `evt_rung${n}`,
        type: 'invoice.paid',
        thin: false,
        createdAtMs: Date.now(),
        ...object,
      };
      await insertDoorbell(clients.db, doorbell, 'rung');
    }
  },
  mends: async ({ clients }) => {
    const url = new URL('/_admin/faults', clients.stripe.url);
    const { data } = (await (await fetch(url)).json()) as { data: { fault: { kind: string } }[] };
    await fetch(url, { method: 'DELETE' });
    // Only the transport mends; what Stripe is to charge wrongly stays planted.
    for (const { fault } of data.filter(({ fault: { kind } }) => kind !== 'http')) {
      await fetch(url, { method: 'POST', body: JSON.stringify(fault) });
    }
  },
};

const KILLS = 5;

export const RESTARTS: Scene = {
  name: 'a process dies again and again',
  expects: [
    {
      alert: 'ProcessRestarting',
      labels: { severity: 'ticket', process: 'integrity' },
      fill: (world) => ({ process: 'integrity', address: world.addressOf('integrity') }),
    },
  ],
  breaks: async ({ fleet, prometheus }) => {
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const startedAt = await untilSeen('integrity to be scraped', PROMPT_MS, async () =>
        prometheus.ask('process_start_time_seconds{process="integrity"}'),
      );
      fleet.kill('integrity');
      await prometheus.untilAsked(`process_start_time_seconds{process="integrity"} > ${startedAt}`, PROMPT_MS);
    }
  },
  mends: () => Promise.resolve(),
};

/** Ten more than the label holds. */
const SOURCES = 110;
/** Empty ones: they count against the rate before anybody judges them, and none is stored. */
const WHOLE_BURST = Array.from({ length: INTAKE_LIMITS.eventsMax }, () => '{}');

export const MANY_SOURCES: Scene = {
  name: 'more sources are refused for their rate than a label may hold',
  expects: [
    {
      alert: 'LabelOverflow',
      labels: { process: 'http' },
      fill: (world) => ({
        process: 'http',
        metric: 'trueup_http_source_limited_total',
        address: world.addressOf('http'),
      }),
    },
  ],
  breaks: async ({ door: { createKey, post } }) => {
    for (let n = 0; n < SOURCES; n += 1) {
      const key = await createKey(`/greedy-${n}`, 1);
      await post(key, WHOLE_BURST);
      await post(key, WHOLE_BURST);
    }
  },
  mends: () => Promise.resolve(),
};

export const RECEIVER_GONE: Scene = {
  name: 'a receiver’s address is no longer right',
  expects: [{ alert: 'AlertPathBroken', labels: { severity: 'page' } }],
  breaks: ({ receiver }) => Promise.resolve(receiver.refuse(true)),
  mends: ({ receiver }) => Promise.resolve(receiver.refuse(false)),
};

/** Several heartbeats: one a minute is one a second here. */
const SILENT_MS = 8_000;

export const NO_ALERTMANAGER: Scene = {
  name: 'Alertmanager hangs',
  expects: [{ alert: 'Watchdog', labels: {}, isTold: ({ receiver }) => receiver.silentMs() > SILENT_MS }],
  breaks: ({ stack }) => Promise.resolve(signal(stack, 'alertmanager', 'SIGSTOP')),
  mends: ({ stack }) => Promise.resolve(signal(stack, 'alertmanager', 'SIGCONT')),
};

export const WATCHER_HANGS: Scene = {
  name: 'the watcher hangs',
  expects: [
    {
      alert: 'WatcherSilent',
      labels: { severity: 'page' },
      fill: (world) => ({ address: world.addressOf('watch') }),
    },
  ],
  breaks: ({ fleet }) => Promise.resolve(fleet.pause('watch')),
  mends: ({ fleet }) => Promise.resolve(fleet.resume('watch')),
};
