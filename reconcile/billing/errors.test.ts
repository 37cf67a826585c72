import { Stripe } from 'stripe';
import { describe, expect, test } from 'vitest';
import { toApplicationFailure } from '../../platform/temporal.ts';
import { isServerFault, isSessionExpired, toTrueupError } from './errors.ts';

// The bodies as Stripe answers them; the SDK's own factory makes the error from status and body, as it does on the wire.
type Recorded = {
  statusCode: number;
  type: string;
  code?: string;
  param?: string;
  decline_code?: string;
  message?: string;
  headers?: Record<string, string>;
};
const fromWire = (recorded: Recorded) =>
  Stripe.errors.StripeError.generate({ message: 'text that must not matter', ...recorded } as never);

const table: [what: string, recorded: Recorded, kind: string, code: string][] = [
  ['429', { statusCode: 429, type: 'rate_limit_error' }, 'unavailable', 'STRIPE_RATE_LIMITED'],
  ['400 rate_limit', { statusCode: 400, type: 'x', code: 'rate_limit' }, 'unavailable', 'STRIPE_RATE_LIMITED'],
  ['409 in progress', { statusCode: 409, type: 'idempotency_error' }, 'unavailable', 'STRIPE_IN_PROGRESS'],
  ['400 key reused', { statusCode: 400, type: 'idempotency_error' }, 'bug', 'STRIPE_IDEMPOTENCY'],
  ['400', { statusCode: 400, type: 'invalid_request_error', param: 'items' }, 'rejected', 'STRIPE_REJECTED'],
  ['404', { statusCode: 404, type: 'invalid_request_error' }, 'rejected', 'STRIPE_NOT_FOUND'],
  [
    '400 names a missing object',
    { statusCode: 400, type: 'invalid_request_error', code: 'resource_missing' },
    'rejected',
    'STRIPE_NOT_FOUND',
  ],
  ['401', { statusCode: 401, type: 'invalid_request_error' }, 'rejected', 'STRIPE_AUTHENTICATION'],
  ['403', { statusCode: 403, type: 'invalid_request_error' }, 'rejected', 'STRIPE_AUTHENTICATION'],
  ['402', { statusCode: 402, type: 'card_error' }, 'rejected', 'STRIPE_CARD_DECLINED'],
  ['500', { statusCode: 500, type: 'api_error' }, 'unavailable', 'STRIPE_UNAVAILABLE'],
  ['503', { statusCode: 503, type: 'api_error' }, 'unavailable', 'STRIPE_UNAVAILABLE'],
  [
    'expired stream session',
    { statusCode: 401, type: 'invalid_request_error', code: 'billing_meter_event_session_expired' },
    'unavailable',
    'STRIPE_AUTHENTICATION',
  ],
];

describe("Stripe's failures", () => {
  test.each(table)('%s is told by class, status and code', (_what, recorded, kind, code) => {
    expect(toTrueupError(fromWire(recorded), 'call')).toMatchObject({ kind, code });
  });

  test.each(table)('%s is retried by Temporal only if a later try can work', (_what, recorded, kind) => {
    const failure = toApplicationFailure(toTrueupError(fromWire(recorded), 'call'));
    expect(failure.nonRetryable).toBe(kind !== 'unavailable');
  });

  test('which limit was met and how long to wait are handed on', () => {
    const headers = { 'stripe-rate-limited-reason': 'endpoint-rate', 'retry-after': '2' };
    const error = fromWire({ statusCode: 429, type: 'rate_limit_error', headers });
    expect(toTrueupError(error, 'call').context).toMatchObject({ limitedBy: 'endpoint-rate', retryAfterMs: 2000 });
  });

  test('the bank’s reason is handed on to dunning', () => {
    const error = fromWire({ statusCode: 402, type: 'card_error', decline_code: 'insufficient_funds' });
    expect(toTrueupError(error, 'call').context).toMatchObject({ declineCode: 'insufficient_funds' });
  });

  test('a forged signature is the sender’s fault', () => {
    const error = new Stripe.errors.StripeSignatureVerificationError('header', 'payload');
    expect(toTrueupError(error, 'webhook')).toMatchObject({ kind: 'rejected', code: 'STRIPE_SIGNATURE' });
  });

  test('a lost connection is worth another try', () => {
    const error = new Stripe.errors.StripeConnectionError({ message: 'socket hang up' });
    expect(toTrueupError(error, 'call')).toMatchObject({ kind: 'unavailable', code: 'STRIPE_UNAVAILABLE' });
  });

  test('the parameter at fault and what was being done are named', () => {
    const error = toTrueupError(
      fromWire({ statusCode: 400, type: 'invalid_request_error', param: 'items' }),
      'price x',
    );
    expect(error.field).toBe('items');
    expect(error.message).toContain('price x');
  });

  test('what is no Stripe error at all is a bug', () => {
    expect(toTrueupError(new TypeError('x'), 'call')).toMatchObject({ kind: 'bug', code: 'STRIPE_UNEXPECTED' });
  });

  test('only a server fault is met with a second look, only an expired session is renewed', () => {
    expect(isServerFault(fromWire({ statusCode: 500, type: 'api_error' }))).toBe(true);
    expect(isServerFault(fromWire({ statusCode: 409, type: 'idempotency_error' }))).toBe(false);
    expect(isSessionExpired(fromWire({ statusCode: 401, type: 'invalid_request_error' }))).toBe(false);
  });
});
