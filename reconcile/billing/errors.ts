// Stripe's failures as the four error kinds, by the SDK's class, the HTTP status and the code; never by message text.
// The shapes are those of stripe 23.1: "in progress" (409) arrives as StripeAPIError, and an idempotency key reused with
// other parameters as StripeIdempotencyError, which is a bug of ours and must not be retried.

import { Stripe } from 'stripe';
import { TrueupError, type ErrorCode, type ErrorKind } from '../../domain/contracts/errors.ts';

type Verdict = { readonly kind: ErrorKind; readonly code: ErrorCode; readonly next?: string };

const AUTHENTICATION: Verdict = {
  kind: 'rejected',
  code: 'STRIPE_AUTHENTICATION',
  next: 'check TRUEUP_STRIPE_KEY and what it may do',
};

/** The kind and code of anything the SDK throws. */
export function toTrueupError(error: unknown, what: string): TrueupError {
  if (error instanceof TrueupError) return error;
  if (!(error instanceof Stripe.errors.StripeError)) {
    return new TrueupError({
      kind: 'bug',
      code: 'STRIPE_UNEXPECTED',
      message: `${what}: ${String(error)}`,
      cause: error,
    });
  }
  const { next, ...verdict } = classify(error);
  return new TrueupError({
    ...verdict,
    message: `Stripe, ${what}: ${error.type} ${error.statusCode ?? 'without an answer'} ${error.code ?? ''}: ${error.message}`,
    ...(next === undefined ? {} : { next }),
    ...(error.param === undefined ? {} : { field: error.param }),
    context: { status: error.statusCode ?? 0, stripeCode: error.code ?? '', requestId: error.requestId ?? '' },
    cause: error,
  });
}

function classify(error: Stripe.errors.StripeError): Verdict {
  const { errors } = Stripe;
  if (error instanceof errors.StripeConnectionError) return { kind: 'unavailable', code: 'STRIPE_UNAVAILABLE' };
  if (error instanceof errors.StripeRateLimitError || error instanceof errors.RateLimitError) {
    return { kind: 'unavailable', code: 'STRIPE_RATE_LIMITED' };
  }
  if (error instanceof errors.StripeIdempotencyError) return { kind: 'bug', code: 'STRIPE_IDEMPOTENCY' };
  if (isSessionExpired(error)) return { kind: 'unavailable', code: 'STRIPE_AUTHENTICATION' };
  return classifyStatus(error.statusCode ?? 0, error.code);
}

function classifyStatus(status: number, code: string | undefined): Verdict {
  if (status === 401 || status === 403) return AUTHENTICATION;
  if (status === 409) return { kind: 'unavailable', code: 'STRIPE_IN_PROGRESS' };
  if (status === 404 || code === 'resource_missing') return { kind: 'rejected', code: 'STRIPE_NOT_FOUND' };
  if (status >= 400 && status < 500) return { kind: 'rejected', code: 'STRIPE_REJECTED' };
  if (status >= 500) return { kind: 'unavailable', code: 'STRIPE_UNAVAILABLE' };
  return { kind: 'bug', code: 'STRIPE_UNEXPECTED' };
}

/** The meter event stream's session lives 15 minutes; a new one makes the same request work. */
export function isSessionExpired(error: unknown): boolean {
  if (error instanceof Stripe.errors.TemporarySessionExpiredError) return true;
  return error instanceof Stripe.errors.StripeError && error.code === 'billing_meter_event_session_expired';
}

/** A stored 5xx is replayed for its idempotency key: only then may a write look for the truth and take a new key. */
export function isServerFault(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && (error.statusCode ?? 0) >= 500;
}

export function isMissing(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.code === 'resource_missing';
}
