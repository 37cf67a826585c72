// Records the histories that replay.test.ts replays: every workflow through every branch. To be run when a
// workflow was changed on purpose, with the TRUEUP_* variables of a running stack set; then commit what it wrote.

import { writeFileSync } from 'node:fs';
import { HOUR_MS } from '../../domain/period.ts';
import { TASK_QUEUE } from '../activity-types.ts';
import { carryOutRun, closeId } from '../door.ts';
import { openRevision } from '../runs/rerun.ts';
import type { pushOpenHours } from '../workflows.ts';
import { createCloseWorld } from './close-world.ts';
import { toHistoryJson } from './histories.ts';

const usage = { actions: 24_000_000n };
const names = ['clean', 'dropped', 'failed', 'missing', 'tier', 'second-batch'];
const world = await createCloseWorld(names.map((name) => ({ name, plan: 'developer', usage })));
const hour = '2026-10-01T00:00:00Z';
await world.stripe.plant({ kind: 'drop_meter_event', account: world.id('dropped'), event_name: 'actions', hour });
await world.stripe.plant({ kind: 'skip_invoice', account: world.id('missing') });
await world.accounts.recordStripeId(world.id('failed'), 'customer', `cus_gone_${world.id('failed')}`);
await world.startWorker();
await world.advance(world.period.startAtMs + 10 * HOUR_MS);
await world.client.workflow.execute<typeof pushOpenHours>('pushOpenHours', {
  workflowId: 'push-open-hours',
  taskQueue: TASK_QUEUE,
});
await world.close();
const { key } = world.period;
const operator = { id: 'recorder', roles: ['operator'] } as const;
const atMs = world.period.endAtMs + 72 * HOUR_MS;
const run = await openRevision(world.db, operator, { period: key, why: 'recorded', codeVersion: 'test', atMs });
await carryOutRun(world.client, run, key);

const close = closeId(key);
for (const id of [close, `${close}-batch-0`, `${close}-batch-1`, run, `${run}-batch-0`, 'push-open-hours']) {
  const history = await world.client.workflow.getHandle(id).fetchHistory();
  const file = new URL(`../histories/${id}.json`, import.meta.url);
  writeFileSync(file, toHistoryJson(history));
  console.log(`${id}: ${history.events?.length ?? 0} events`);
}
await world.end();
