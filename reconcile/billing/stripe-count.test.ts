import { expect, test } from 'vitest';
import { toOutcome, toResource } from './stripe-count.ts';

test.each([
  ['/v1/invoices/in_1/finalize', 'invoices'],
  ['/v1/invoices?limit=100', 'invoices'],
  ['/v1/billing/meters/mtr_1/event_summaries?customer=cus_1', 'meters'],
  ['/v2/billing/meter_event_session', 'meter_events'],
  ['/v2/billing/meter_event_stream', 'meter_events'],
  ['/v2/core/events/evt_1', 'events'],
  ['/v1/refunds', 'other'],
])('%s belongs to %s', (path, resource) => expect(toResource(path)).toBe(resource));

test.each([
  [200, 'ok'],
  [404, 'client_error'],
  [429, 'rate_limited'],
  [503, 'server_error'],
] as const)('an answer of %d is %s', (status, outcome) => expect(toOutcome(status)).toBe(outcome));
