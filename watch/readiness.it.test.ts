// Each way in which a process stops doing its work, provoked, and what /readyz says of it.

import { Connection, Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rollUpAll } from '../aggregate/testing/roll-up.ts';
import type { AggregateTables } from '../aggregate/tables.ts';
import { fetchWorkList } from '../aggregate/work-list.ts';
import { fetchConsumption } from '../ingest/consumption.ts';
import { createIngestBench, usageRecord, type IngestBench } from '../ingest/testing/bench.ts';
import { createStandstillCheck, type Check } from '../platform/health.ts';
import { createPostgres, type Postgres } from '../platform/postgres.ts';
import { createOutboxCheck, createWorkflowsCheck } from '../reconcile/standing/checks.ts';
import { fetchOutbox } from '../reconcile/standing/outbox.ts';
import { fetchWorkflows } from '../reconcile/standing/running-workflows.ts';
import type { ReconcileTables } from '../reconcile/store/tables.ts';
import { insertDoorbell } from '../reconcile/webhooks/events.ts';
import { eventually } from '../stack/testing/eventually.ts';

const NOON_MS = Date.UTC(2026, 9, 15, 12);
const LIMIT_MS = 300;
const PROMPT_MS = 30_000;

let bench: IngestBench;
let db: Postgres<AggregateTables & ReconcileTables>;

beforeAll(async () => {
  bench = await createIngestBench('ready', 2);
  db = createPostgres(bench.databases.postgresUrl);
});
afterAll(async () => {
  await bench.stopSink();
  await db.destroy();
  await bench.close();
});

async function untilRed(check: Check): Promise<string> {
  return eventually(PROMPT_MS, async () => (await check()) ?? undefined);
}

async function untilGreen(check: Check): Promise<true> {
  return eventually(PROMPT_MS, async () => ((await check()) === null ? true : undefined));
}

describe('readiness', () => {
  test('is red when consumption stops while records wait, then when the rollup cursor stands, and green when they move', async () => {
    const consumption = createStandstillCheck({
      what: 'records',
      limitMs: LIMIT_MS,
      fetch: async () => fetchConsumption(bench.kafka, bench.topic),
    });
    const rollup = createStandstillCheck({ what: 'blocks', limitMs: LIMIT_MS, fetch: async () => fetchWorkList(db) });
    expect(await consumption()).toBeNull();
    await bench.send(Array.from({ length: 30 }, (_, n) => usageRecord(n, { atMs: NOON_MS })));
    expect(await untilRed(consumption)).toMatch(/^records: 30 left, and nothing moved for \d+ s$/);
    await bench.startSink();
    await untilGreen(consumption);

    expect(await untilRed(rollup)).toMatch(/^blocks: \d+ left, and nothing moved/);
    await rollUpAll({ clickhouse: bench.databases.clickhouse, db });
    await untilGreen(rollup);
  });

  test('is red when a doorbell was taken and nobody looks at it', async () => {
    const outbox = createOutboxCheck({ limitMs: LIMIT_MS, fetch: async () => fetchOutbox(db, NOON_MS) });
    expect(await outbox()).toBeNull();
    const doorbell = {
      eventId: 'evt_1',
      type: 'invoice.paid',
      thin: false,
      object: 'invoice',
      objectId: 'in_1',
      invoiceId: null,
      createdAtMs: NOON_MS,
    };
    await insertDoorbell(db, doorbell, 'rung');
    expect(await untilRed(outbox)).toMatch(/^doorbells: 1 wait, the oldest for \d+ s$/);
    await db.updateTable('stripe_events').set({ state: 'processed' }).execute();
    await untilGreen(outbox);
  });

  test('is red when nobody takes a workflow’s step, and not while a workflow only waits', async () => {
    const connection = await Connection.connect({ address: process.env['TRUEUP_TEMPORAL_ADDRESS'] ?? '' });
    // One of its own: in the servers' common one a worker of another test would take the step.
    const namespace = bench.databases.name;
    const workflowExecutionRetentionPeriod = msToTs('1 day');
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
    const client = new Client({ connection, namespace });
    const workflows = createWorkflowsCheck({
      limitMs: LIMIT_MS,
      fetch: async () => {
        const { running, failed } = await fetchWorkflows(client, Date.now());
        return { running: running.filter(({ id }) => id === 'push-alone'), failed };
      },
    });
    const alone = { workflowId: 'push-alone', taskQueue: 'trueup-reconcile' };
    const handle = await eventually(PROMPT_MS, async () => client.workflow.start('pushOpenHours', alone));
    expect(await untilRed(workflows)).toMatch(/^push-alone: workflow task for \d+ s \(nobody takes it\)$/);
    await handle.terminate();
    await untilGreen(workflows);
    await connection.close();
  });
});
