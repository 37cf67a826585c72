// A webhook process for tests that kill it: node webhook-process.ts '<json of WebhookProcessInput>'. Prints its URL.

import { createLog } from '../../platform/log.ts';
import { createPostgres } from '../../platform/postgres.ts';
import { createWebhookSource } from '../billing/stripe-webhooks.ts';
import { createProcessor } from '../webhooks/process.ts';
import { startReceiver } from '../webhooks/receiver.ts';
import type { WebhookTables } from '../webhooks/tables.ts';

export type WebhookProcessInput = {
  readonly postgresUrl: string;
  readonly stripeUrl: string;
  readonly secrets: readonly string[];
  readonly port: number;
  /** Where it stands still for ever: before it takes an event, in the middle of a read, or nowhere. */
  readonly stuckAt: 'taking' | 'reading' | null;
};

const input = JSON.parse(process.argv[2] ?? '{}') as WebhookProcessInput;
const log = createLog('webhooks', 'silent');
const db = createPostgres<WebhookTables>(input.postgresUrl);
const source = createWebhookSource({ key: 'sk_test_trueup', url: input.stripeUrl, secrets: input.secrets });
const processor = createProcessor({
  db,
  source: input.stuckAt === 'reading' ? { ...source, fetchState: async () => new Promise(() => undefined) } : source,
  onChange: async () => Promise.resolve(),
  log,
  leaseMs: 500,
});
const receiver = await startReceiver({
  host: '127.0.0.1',
  port: input.port,
  db,
  source,
  log,
  onRung: () => processor.wake(),
});
if (input.stuckAt !== 'taking') void processor.run(new AbortController().signal);
console.log(receiver.url);
