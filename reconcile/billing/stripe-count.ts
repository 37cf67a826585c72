// Counts requests to Stripe by the resource of their path and by how they ended. Ids, queries and bodies are not looked at.

import { STRIPE_RESOURCES, type STRIPE_OUTCOMES } from '../../domain/contracts/metrics/work.ts';
import type { Metrics } from '../../platform/metrics.ts';
import type { HttpClient } from './stripe-http.ts';

type Resource = (typeof STRIPE_RESOURCES)[number];
type Outcome = (typeof STRIPE_OUTCOMES)[number];
type Request = Parameters<HttpClient['makeRequest']>;

/** `/v1/billing/meters/mtr_1/event_summaries` → meters; `/v2/billing/meter_event_stream` → meter_events. */
export function toResource(path: string): Resource {
  const words = (path.split('?', 1)[0] ?? '').split('/').slice(2);
  const word = words[0] === 'billing' || words[0] === 'core' ? words[1] : words[0];
  if (word?.startsWith('meter_event') === true) return 'meter_events';
  return STRIPE_RESOURCES.find((one) => one === word) ?? 'other';
}

export function toOutcome(status: number): Outcome {
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'server_error';
  return status >= 400 ? 'client_error' : 'ok';
}

export function countRequests(client: HttpClient, metrics: Metrics): HttpClient {
  return {
    getClientName: () => client.getClientName(),
    makeRequest: async (...request: Request) => {
      const resource = toResource(request[2]);
      const startedAt = performance.now();
      let outcome: Outcome = 'unreachable';
      try {
        const answer = await client.makeRequest(...request);
        outcome = toOutcome(answer.getStatusCode());
        return answer;
      } finally {
        metrics.count('trueup_reconcile_stripe_requests_total', { resource, outcome });
        metrics.record(
          'trueup_reconcile_stripe_request_seconds',
          { resource },
          (performance.now() - startedAt) / 1_000,
        );
      }
    },
  };
}
