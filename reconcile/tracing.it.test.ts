// Traces from who starts a workflow through its activities to Stripe, as a collector receives them.

import { NativeConnection, Worker } from '@temporalio/worker';
import { afterEach, expect, test } from 'vitest';
import { HOUR_MS } from '../domain/period.ts';
import { createLog } from '../platform/log.ts';
import { createTemporal } from '../platform/temporal.ts';
import { startTraceReceiver, type TraceReceiver } from '../platform/testing/trace-receiver.ts';
import { startTracing, type Tracing } from '../platform/tracing.ts';
import { eventually } from '../stack/testing/eventually.ts';
import { TASK_QUEUE } from './activity-types.ts';
import { createStripeBilling } from './billing/stripe.ts';
import { createCloseWorld, type CloseWorld } from './testing/close-world.ts';
import { createWorker, WORKFLOWS_PATH } from './worker.ts';
import type { pushOpenHours, reconcileRun } from './workflows.ts';

const { TRUEUP_TEMPORAL_ADDRESS: address = '', TRUEUP_STRIPE_URL: url, TRUEUP_STRIPE_KEY: key = '' } = process.env;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function openWorld(): Promise<CloseWorld> {
  const world = await createCloseWorld([{ name: 'dev', plan: 'developer', usage: { actions: 24_000_000n } }]);
  closing.push(async () => world.end());
  await world.advance(world.period.startAtMs + 10 * HOUR_MS + 60_000);
  return world;
}

/** Runs one hourly push, and one run that nobody opened; returns the history of the push. */
async function push(world: CloseWorld, tracing: Tracing) {
  const namespace = world.variables['TRUEUP_TEMPORAL_NAMESPACE'] ?? '';
  const connection = await NativeConnection.connect({ address });
  const deps = { ...world.deps, billing: createStripeBilling({ key, url, tracing }) };
  const worker = await eventually(20_000, async () => createWorker({ connection, namespace, deps, tracing }));
  const temporal = await createTemporal({ address, namespace }, tracing);
  try {
    return await worker.runUntil(async () => {
      const start = { workflowId: 'push-traced', taskQueue: TASK_QUEUE };
      const handle = await temporal.client.workflow.start<typeof pushOpenHours>('pushOpenHours', start);
      await handle.result();
      const unknown = { taskQueue: TASK_QUEUE, workflowId: 'unopened', args: [{ periodKey: '2026-10' }] as const };
      await expect(temporal.client.workflow.execute<typeof reconcileRun>('reconcileRun', unknown)).rejects.toThrow();
      return handle.fetchHistory();
    });
  } finally {
    await temporal.close();
    await connection.close();
  }
}

async function receive(): Promise<{ receiver: TraceReceiver; tracing: Tracing }> {
  const receiver = await startTraceReceiver();
  closing.push(async () => receiver.close());
  const log = createLog('test', 'silent');
  return { receiver, tracing: await startTracing({ url: receiver.url, process: 'reconcile', log }) };
}

test('a workflow, its activities and their calls to Stripe are one trace, which names no account', async () => {
  const { receiver, tracing } = await receive();
  const world = await openWorld();
  const history = await push(world, tracing);
  await tracing.stop();

  const named = (name: string) => receiver.spans.filter((span) => span.name === name);
  const [started] = named('StartWorkflow:pushOpenHours');
  const [workflow] = named('RunWorkflow:pushOpenHours');
  const [scheduled] = named('StartActivity:pushOpenHours');
  const [activity] = named('RunActivity:pushOpenHours');
  expect([workflow?.parentSpanId, scheduled?.parentSpanId, activity?.parentSpanId]).toEqual([
    started?.spanId,
    workflow?.spanId,
    scheduled?.spanId,
  ]);
  const calls = receiver.spans.filter(({ attributes }) => 'url.template' in attributes);
  expect(new Set(calls.map(({ traceId }) => traceId))).toEqual(new Set([started?.traceId]));
  expect(calls.every(({ parentSpanId }) => parentSpanId === activity?.spanId)).toBe(true);
  expect(calls.map(({ name }) => name)).toContain('POST /v2/billing/meter_event_stream');
  expect(calls[0]?.attributes).toMatchObject({
    'http.response.status_code': 200,
    'stripe.request_id': expect.stringMatching(/^req_/),
  });
  const failed = receiver.spans.filter((span) => span.failed);
  expect(failed.map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
    ['RunActivity:openRun', 'PERIOD_NOT_ENDED'],
    ['StartActivity:openRun', 'ActivityFailure'],
    ['RunWorkflow:reconcileRun', 'ActivityFailure'],
  ]);
  for (const secret of [key, world.id('dev'), 'cus_', 'Bearer']) {
    expect(receiver.bodies.join('\n')).not.toContain(secret);
  }

  // Whoever turns tracing off does so while workflows are under way.
  await Worker.runReplayHistory({ workflowsPath: WORKFLOWS_PATH }, history, 'push-traced');
});
