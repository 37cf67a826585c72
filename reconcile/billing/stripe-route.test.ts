import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toRoute } from './stripe-route.ts';

test.each([
  ['/v1/invoices/in_1Qx/finalize', '/v1/invoices/{id}/finalize'],
  ['/v1/invoices/in_1Qx/lines?limit=100&starting_after=il_9', '/v1/invoices/{id}/lines'],
  ['/v1/billing/meters/mtr_1/event_summaries?customer=cus_1', '/v1/billing/meters/{id}/event_summaries'],
  ['/v1/coupons/summer', '/v1/coupons/{id}'],
  ['/v2/billing/meter_event_stream', '/v2/billing/meter_event_stream'],
])('%s is told as %s', (path, route) => {
  expect(toRoute(path)).toBe(route);
});

test('an id never shows, wherever it stands and whatever it looks like', () => {
  const id = fc.stringMatching(/^[a-z]{2,5}_[A-Za-z0-9]{14}$/);
  fc.assert(
    fc.property(id, fc.constantFrom('/v1/customers/*', '/v1/things/*/parts/*', '/*', '/v1/x?id=*'), (one, path) => {
      expect(toRoute(path.replaceAll('*', one))).not.toContain(one);
    }),
  );
});
