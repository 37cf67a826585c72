// Records the histories that replay.test.ts replays: one close through every branch of the workflows. To be run when a
// workflow was changed on purpose, with the TRUEUP_* variables of a running stack set; then commit what it wrote.

import { writeFileSync } from 'node:fs';
import { closeId } from '../door.ts';
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
await world.close();

const { key } = world.period;
for (const id of [closeId(key), `${closeId(key)}-batch-0`, `${closeId(key)}-batch-1`]) {
  const history = await world.client.workflow.getHandle(id).fetchHistory();
  const file = new URL(`../histories/${id}.json`, import.meta.url);
  writeFileSync(file, toHistoryJson(history));
  console.log(`${id}: ${history.events?.length ?? 0} events`);
}
await world.end();
