// Stripe's failures as the four error kinds: one table, read from the top, by the SDK's class, the HTTP status and the code;
// never by message text. The kind is the whole activity policy: `unavailable` goes back to Temporal, which waits and tries
// again with the same idempotency key; everything else ends the activity at once (platform/temporal.ts).
// The shapes are those of stripe 23.1: "in progress" (409) arrives as StripeAPIError, and an idempotency key reused with
// other parameters as StripeIdempotencyError, which is a bug of ours and must not be retried.

import { Stripe } from 'stripe';
import { TrueupError, type ErrorCode, type ErrorKind } from '../../domain/contracts/errors.ts';

type Failure = Stripe.errors.StripeError;

type Row = {
  readonly when: (error: Failure) => boolean;
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  readonly next?: string;
};

const { errors } = Stripe;
const status =
  (from: number, to = from) =>
  (error: Failure) =>
    (error.statusCode ?? 0) >= from && (error.statusCode ?? 0) <= to;

const TABLE: readonly Row[] = [
  {
    when: (error) => error instanceof errors.StripeConnectionError,
    kind: 'unavailable',
    code: 'STRIPE_UNAVAILABLE',
  },
  {
    when: (error) => error instanceof errors.StripeSignatureVerificationError,
    kind: 'rejected',
    code: 'STRIPE_SIGNATURE',
    next: "answer 400, and check the endpoint's signing secret and this machine's clock",
  },
  {
    // A limit met on a lock is a 429 too; a too-busy Stripe may say so with a 400.
    when: (error) => error instanceof errors.StripeRateLimitError || error.code === 'rate_limit' || status(429)(error),
    kind: 'unavailable',
    code: 'STRIPE_RATE_LIMITED',
  },
  {
    when: (error) => error instanceof errors.StripeIdempotencyError,
    kind: 'bug',
    code: 'STRIPE_IDEMPOTENCY',
    next: 'one business key was used for two different writes; nothing was sent',
  },
  { when: isSessionExpired, kind: 'unavailable', code: 'STRIPE_AUTHENTICATION' },
  {
    when: (error) => status(401)(error) || status(403)(error),
    kind: 'rejected',
    code: 'STRIPE_AUTHENTICATION',
    next: 'check TRUEUP_STRIPE_KEY and what it may do',
  },
  {
    // Not a failure of the call but an answer about the customer's money: dunning goes on from here.
    when: (error) => error instanceof errors.StripeCardError || status(402)(error),
    kind: 'rejected',
    code: 'STRIPE_CARD_DECLINED',
    next: 'leave it to dunning, or ask the customer for another payment method',
  },
  { when: status(409), kind: 'unavailable', code: 'STRIPE_IN_PROGRESS' },
  { when: (error) => status(404)(error) || isMissing(error), kind: 'rejected', code: 'STRIPE_NOT_FOUND' },
  { when: status(400, 499), kind: 'rejected', code: 'STRIPE_REJECTED' },
  { when: status(500, 599), kind: 'unavailable', code: 'STRIPE_UNAVAILABLE' },
];

const UNKNOWN: Row = { when: () => true, kind: 'bug', code: 'STRIPE_UNEXPECTED' };

/** The kind and code of anything the SDK throws. */
export function toTrueupError(error: unknown, what: string): TrueupError {
  if (error instanceof TrueupError) return error;
  // The SDK wraps what its transport throws, our own waiting for a free call included.
  if (error instanceof Stripe.errors.StripeConnectionError && error.detail instanceof TrueupError) return error.detail;
  if (!(error instanceof Stripe.errors.StripeError)) {
    const message = `${what}: ${String(error)}`;
    return new TrueupError({ kind: 'bug', code: 'STRIPE_UNEXPECTED', message, cause: error });
  }
  const { kind, code, next } = TABLE.find((row) => row.when(error)) ?? UNKNOWN;
  return new TrueupError({
    kind,
    code,
    message: `Stripe, ${what}: ${error.type} ${error.statusCode ?? 'without an answer'} ${error.code ?? ''}: ${error.message}`,
    ...(next === undefined ? {} : { next }),
    ...(error.param === undefined ? {} : { field: error.param }),
    context: {
      status: error.statusCode ?? 0,
      stripeCode: error.code ?? '',
      requestId: error.requestId ?? '',
      ...hintsOf(error),
    },
    cause: error,
  });
}

/** Which limit was met, how long to wait where anybody says so, and why a bank refused. */
function hintsOf(error: Failure): Record<string, string | number> {
  const reason = error.headers?.['stripe-rate-limited-reason'];
  const after = error.headers?.['retry-after'];
  return {
    ...(reason === undefined ? {} : { limitedBy: reason }),
    ...(after === undefined || !/^\d{1,5}$/.test(after) ? {} : { retryAfterMs: Number(after) * 1000 }),
    ...(error.decline_code === undefined ? {} : { declineCode: error.decline_code }),
  };
}

/** The meter event stream's session lives 15 minutes; a new one makes the same request work. */
export function isSessionExpired(error: unknown): boolean {
  if (error instanceof Stripe.errors.TemporarySessionExpiredError) return true;
  return error instanceof Stripe.errors.StripeError && error.code === 'billing_meter_event_session_expired';
}

export function isServerFault(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && (error.statusCode ?? 0) >= 500;
}

/** A 5xx that Stripe stored for its idempotency key: the same key gives the same answer for a day, whatever is true by now. */
export function isReplayed(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.headers?.['idempotent-replayed'] === 'true';
}

export function isMissing(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.code === 'resource_missing';
}
