// The SDK's own HTTP client behind the pace, every request of it a span: also the pages an iteration fetches by itself are
// counted.

import { Stripe } from 'stripe';
import { invariant } from '../../domain/contracts/errors.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { Tracing } from '../../platform/tracing.ts';
import type { Pace } from './pace.ts';
import { countRequests } from './stripe-count.ts';
import { toRoute } from './stripe-route.ts';

export type HttpClient = ReturnType<typeof Stripe.createNodeHttpClient>;
type Request = Parameters<HttpClient['makeRequest']>;

export type HttpClientOptions = {
  readonly pace?: Pace | undefined;
  readonly tracing?: Tracing | undefined;
  readonly metrics?: Metrics | undefined;
};

/** Sends nothing but GET: for whoever must not be able to write, whatever the key may do. */
export function createReadOnlyHttpClient(options: HttpClientOptions): HttpClient {
  const client = createHttpClient(options);
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

export function createHttpClient({ pace, tracing, metrics }: HttpClientOptions): HttpClient {
  const bare = Stripe.createNodeHttpClient();
  const plain = metrics === undefined ? bare : countRequests(bare, metrics);
  const sent = tracing?.sdk === undefined ? plain : traced(plain, tracing);
  if (pace === undefined) return sent;
  return {
    getClientName: () => sent.getClientName(),
    makeRequest: async (...request: Request) => {
      if (!request[2].startsWith(STREAM)) await pace();
      return sent.makeRequest(...request);
    },
  };
}

/** Of a request its method and route, of its answer status and request id: bodies, headers and ids of objects stay out. */
function traced(client: HttpClient, tracing: Tracing): HttpClient {
  return {
    getClientName: () => client.getClientName(),
    makeRequest: async (...request: Request) => {
      const [host, , path, method] = request;
      const route = toRoute(path);
      return tracing.span(`${method} ${route}`, { kind: 'client' }, async (span) => {
        span.set({ 'http.request.method': method, 'url.template': route, 'server.address': host });
        const answer = await client.makeRequest(...request);
        const status = answer.getStatusCode();
        const requestId = answer.getHeaders()['request-id'];
        span.set({
          'http.response.status_code': status,
          ...(typeof requestId === 'string' ? { 'stripe.request_id': requestId } : {}),
          ...(status < 400 ? {} : { 'error.type': String(status) }),
        });
        return answer;
      });
    },
  };
}
