// The days after a month's end, gone wrong one after the other: no worker when the barrier is due, a close that ended in
// failure, money that differs. Time moves as the walks go, so these scenes are walked in this order.

import { WAITS } from '../../../../domain/contracts/waits.ts';
import { DAY_MS, HOUR_MS, toIso } from '../../../../domain/period.ts';
import { awaitReport, closeId, fetchProgress, signalClock, type CloseProgress } from '../../../../reconcile/door.ts';
import { insertDoorbell } from '../../../../reconcile/webhooks/events.ts';
import { plantFaults } from '../../../../fixtures/demo/register.ts';
import type { Scene } from '../walk.ts';
import { untilSeen } from '../soon.ts';
import { LARGE, OPERATOR, PERIOD, REVIEWER, SMALL } from '../setting.ts';
import type { World } from '../world.ts';

const MINUTE_MS = 60_000;
const PROMPT_MS = 90_000;
const GRACE_ENDS_MS = PERIOD.endAtMs + WAITS.graceMs;
const LATE_ENDS_MS = GRACE_ENDS_MS + WAITS.lateCollectionMs;

/** Both bill amounts that no subscription asked for; before the month's end, when invoices are made. */
export async function plantMoney({ clients }: World): Promise<void> {
  const orphan = { kind: 'orphan_invoice' } as const;
  const faults = [
    { ...orphan, account: LARGE, amount: '200000' },
    { ...orphan, account: SMALL, amount: '500' },
  ];
  await plantFaults(faults, clients.stripe.url);
}

async function untilStage({ clients }: World, ...stages: CloseProgress['stage'][]): Promise<void> {
  const { client } = clients.temporal;
  await untilSeen(`the close to reach ${stages.join(' or ')}`, PROMPT_MS, async () =>
    stages.includes((await fetchProgress(client, PERIOD.key)).stage) ? true : undefined,
  );
}

const period = { period: PERIOD.key, you: OPERATOR } as const;
const barrier = { ...period, step: 'barrier' } as const;

export const NO_WORKER: Scene = {
  name: 'no worker on the day of the barrier',
  expects: [
    {
      alert: 'ProcessDown',
      labels: { severity: 'page', process: 'reconcile' },
      fill: (world) => ({ process: 'reconcile', address: world.addressOf('reconcile') }),
    },
    {
      alert: 'WorkflowStuck',
      labels: { workflow: 'close' },
      fill: () => ({ workflow: 'close' }),
      // Temporal keeps a task for the worker that is gone for ten seconds; then it is anybody's, and as good as new.
      slowerByMs: 10_000,
    },
    { alert: 'PeriodStepOverdue', labels: { step: 'barrier' }, fill: () => barrier },
    { alert: 'InvoiceRunLateBurn', labels: { severity: 'page' }, fill: () => barrier },
    { alert: 'OutboxStuck', labels: { queue: 'doorbells' }, fill: () => ({ queue: 'doorbells' }) },
  ],
  breaks: async (world) => {
    await world.time.advance(PERIOD.endAtMs + 5 * MINUTE_MS);
    await world.must(`npm run trueup -- runs start ${PERIOD.key}`);
    await untilStage(world, 'grace');
    await world.fleet.stop('reconcile');
    await ringBefore(world, 11 * MINUTE_MS);
    await world.time.advance(GRACE_ENDS_MS + 3 * HOUR_MS);
    await signalClock(world.clients.temporal.client, PERIOD.key);
  },
  mends: async (world, fix) => {
    world.startStage('reconcile');
    await fix('PeriodStepOverdue');
    await fix('InvoiceRunLateBurn');
  },
};

/** A webhook that was taken, as it looks when nobody has come to it for so long. */
async function ringBefore({ clients }: World, agoMs: number): Promise<void> {
  const object = { object: 'invoice', objectId: 'in_of_a_walk', invoiceId: null } as const;
  const doorbell = {
    eventId: 'evt_of_a_walk',
    type: 'invoice.paid',
    thin: false,
    createdAtMs: GRACE_ENDS_MS,
    ...object,
  };
  await insertDoorbell(clients.db, doorbell, 'rung');
  const received_at = new Date(Date.now() - agoMs);
  await clients.db.updateTable('stripe_events').set({ received_at }).where('id', '=', doorbell.eventId).execute();
}

export const CLOSE_ENDED: Scene = {
  name: 'the close workflow was terminated',
  expects: [
    {
      alert: 'WorkflowFailed',
      labels: { severity: 'page', workflow: 'close' },
      fill: () => ({ ...period, id: closeId(PERIOD.key), workflow: 'close' }),
    },
  ],
  breaks: async (world) => {
    await untilStage(world, 'late');
    await world.clients.temporal.client.workflow.getHandle(closeId(PERIOD.key)).terminate('a walk');
  },
  mends: async (_world, fix) => fix('WorkflowFailed'),
};

async function caseOf({ clients }: World, account: string): Promise<string> {
  const row = await clients.db
    .selectFrom('cases')
    .select('case_id')
    .where('account', '=', account)
    .where('code', '=', 'INVOICE_ORPHAN')
    .executeTakeFirst();
  return row?.case_id ?? '';
}

const fillLarge = async (world: World) => ({
  ...period,
  case: await caseOf(world, LARGE),
  reviewer: REVIEWER,
  until: toIso(PERIOD.endAtMs + 60 * DAY_MS),
});

export const MONEY_DIFFERS: Scene = {
  name: 'Stripe charged what nobody used, and nobody has looked at it for a week',
  expects: [
    { alert: 'CriticalBreakOpen', labels: { code: 'INVOICE_ORPHAN' }, fill: fillLarge },
    { alert: 'ReconciliationDriftBurn', labels: { severity: 'page' }, fill: fillLarge },
    {
      alert: 'ReconciliationAgeBurn',
      labels: { severity: 'ticket' },
      fill: async (world) => ({ ...period, case: await caseOf(world, SMALL) }),
    },
  ],
  breaks: async (world) => {
    const { client } = world.clients.temporal;
    await untilStage(world, 'late');
    await world.time.advance(LATE_ENDS_MS + 2 * HOUR_MS);
    await signalClock(client, PERIOD.key);
    await awaitReport(client, PERIOD.key);
    await world.time.advance(LATE_ENDS_MS + 8 * DAY_MS);
  },
  mends: async (world, fix) => {
    await fix('ReconciliationDriftBurn');
    await fix('CriticalBreakOpen');
    await fix('ReconciliationAgeBurn');
    await settleOthers(world);
  },
};

/** What other walks left in the books is settled as well. */
async function settleOthers({ clients, must }: World): Promise<void> {
  const rows = await clients.db.selectFrom('cases').select('case_id').where('reason', 'is', null).execute();
  for (const { case_id: id } of rows)
    await must(`npm run trueup -- cases accept ${id} --reason 'of another walk' --as ${REVIEWER}`);
}
