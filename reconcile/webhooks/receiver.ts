// The door Stripe rings at: POST /webhooks/stripe. It checks the signature over the bytes as they came, stores the event's
// ids, answers, and nothing more. 2xx means the row is committed; until then Stripe rings again, as it does after a death.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../../platform/log.ts';
import type { Metrics } from '../../platform/metrics.ts';
import { codeClassOf } from '../../domain/contracts/metrics/ingest.ts';
import { insertDoorbell } from './events.ts';
import type { WebhookSource } from './port.ts';
import type { WebhookDb } from './tables.ts';

export type ReceiverOptions = {
  readonly host: string;
  readonly port: number;
  readonly db: WebhookDb;
  readonly source: Pick<WebhookSource, 'openDoorbell'>;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** Called after the row is committed. */
  readonly onRung: () => void;
};

export type Receiver = { readonly url: string; stop(): Promise<void> };

const PATH = '/webhooks/stripe';
/** Events are a few kilobytes; the largest invoices stay far below this. */
const BODY_BYTES_MAX = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const STOP_WITHIN_MS = 10_000;

type Answer = { readonly status: number; readonly code: string; readonly event?: string };

export async function startReceiver(options: ReceiverOptions): Promise<Receiver> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: 5_000 }, (request, response) => {
    void serve(request, response, options);
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}${PATH}`,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const late = setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS);
      await closed;
      clearTimeout(late);
    },
  };
}

async function listen(server: Server, { host, port }: ReceiverOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function serve(request: IncomingMessage, response: ServerResponse, options: ReceiverOptions): Promise<void> {
  let answer: Answer;
  try {
    answer = await route(request, options);
  } catch (error) {
    // Most likely the database is away: Stripe will ring again.
    options.log.error({ error: String(error) }, 'a webhook could not be stored');
    answer = { status: 503, code: 'NOT_STORED' };
  }
  const { status, code, event } = answer;
  options.metrics?.count('trueup_reconcile_webhooks_total', { code_class: codeClassOf(status) });
  if (status >= 400) options.log.warn({ status, code }, 'a webhook was refused');
  else if (event !== undefined) options.log.debug({ code, event }, 'a webhook was stored');
  const text = JSON.stringify({ code });
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

async function route(request: IncomingMessage, { db, source, onRung }: ReceiverOptions): Promise<Answer> {
  const path = (request.url ?? '').split('?', 1)[0];
  if (path === '/health') return { status: 200, code: 'OK' };
  if (path !== PATH) return { status: 404, code: 'PATH_UNKNOWN' };
  if (request.method !== 'POST') return { status: 405, code: 'METHOD_NOT_ALLOWED' };
  const raw = await readBody(request);
  if (raw === undefined) return { status: 413, code: 'BODY_TOO_LARGE' };
  const signature = request.headers['stripe-signature'];
  const opened = source.openDoorbell(raw, typeof signature === 'string' ? signature : undefined);
  if (!opened.ok) return { status: 400, code: opened.refusal };
  const isNew = await insertDoorbell(db, opened.doorbell, 'rung');
  if (isNew) onRung();
  return { status: 200, code: isNew ? 'STORED' : 'KNOWN', event: opened.doorbell.eventId };
}

/** Undefined when there is more than anybody sends rightly. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const bytes = chunk as Buffer;
    length += bytes.length;
    if (length > BODY_BYTES_MAX) {
      // The rest is read and dropped: a sender that is still busy could not read the answer otherwise.
      request.resume();
      return undefined;
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, length);
}
