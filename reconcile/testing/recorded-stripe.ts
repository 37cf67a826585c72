// Answers as Stripe gives them, from a loopback server: what the SDK makes of them is what is tested.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import type { Billing } from '../billing/port.ts';
import { createStripeBilling } from '../billing/stripe.ts';

export type Answer = {
  readonly status?: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};
export type Seen = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  body: string;
};

let server: Server | undefined;
afterEach(() => server?.close());

/** An adapter and what its calls were; `answer` is asked for each of them. */
export async function listen(
  answer: (seen: Seen) => Answer,
  pace?: () => Promise<void>,
): Promise<{ billing: Billing; seen: Seen[] }> {
  const seen: Seen[] = [];
  const listening = createServer((request, response) => {
    const one: Seen = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: '' };
    request.on('data', (chunk: Buffer) => (one.body += chunk.toString()));
    request.on('end', () => {
      seen.push(one);
      const { status = 200, body, headers = {} } = answer(one);
      response.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_1', ...headers });
      response.end(JSON.stringify(body));
    });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  return { billing: createStripeBilling({ key: 'sk_test_x', url: `http://127.0.0.1:${port}`, pace }), seen };
}

export const list = (data: unknown[]): Answer => ({ body: { object: 'list', data, has_more: false, url: '/' } });
