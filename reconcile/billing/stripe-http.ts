// The SDK's own HTTP client behind the pace: also the pages an iteration fetches by itself are counted.

import { Stripe } from 'stripe';
import { invariant } from '../../domain/contracts/errors.ts';
import type { Pace } from './pace.ts';

export type HttpClient = ReturnType<typeof Stripe.createNodeHttpClient>;
type Request = Parameters<HttpClient['makeRequest']>;

/** Sends nothing but GET: for whoever must not be able to write, whatever the key may do. */
export function createReadOnlyHttpClient(pace: Pace | undefined): HttpClient {
  const client = pace === undefined ? Stripe.createNodeHttpClient() : createPacedHttpClient(pace);
  return {
    getClientName: () => client.getClientName(),
    makeRequest: async (...request: Request) => {
      const [, , path, method] = request;
      invariant(method === 'GET', 'I7', `an audit would have sent ${method} ${path}`);
      return client.makeRequest(...request);
    },
  };
}

/** The meter event stream has a limit of its own, a hundred times higher. */
const STREAM = '/v2/billing/meter_event_stream';

export function createPacedHttpClient(pace: Pace): HttpClient {
  const plain = Stripe.createNodeHttpClient();
  return {
    getClientName: () => plain.getClientName(),
    makeRequest: async (...request: Request) => {
      if (!request[2].startsWith(STREAM)) await pace();
      return plain.makeRequest(...request);
    },
  };
}
