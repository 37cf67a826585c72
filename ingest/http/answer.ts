// What the door says, as data. Every answer that is not a success has one shape: {code, message, retryable, field, next,
// requestId}, with `outcomes` when events or manifests were judged and none was accepted. Pure.

import { TrueupError } from '../../domain/contracts/errors.ts';
import { OWNERSHIP_NEXT_STEP, REQUEST_CODES, type RequestCode } from '../../domain/contracts/intake.ts';
import type { Noun, Outcome } from './outcome.ts';

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** For the log line. */
  readonly code: RequestCode | 'OK';
};

type Extras = {
  readonly field?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly outcomes?: readonly Outcome[];
};

/** When nobody can know better, ask again soon; senders add jitter of their own. */
const RETRY_AFTER_S = '2';

export function refuse(code: RequestCode, message: string, { field, headers = {}, outcomes }: Extras = {}): Answer {
  const { status, retryable, next } = REQUEST_CODES[code];
  const retry = retryable ? { 'Retry-After': RETRY_AFTER_S } : {};
  const body = {
    code,
    message,
    retryable,
    field: field ?? null,
    next,
    ...(outcomes === undefined ? {} : { outcomes }),
  };
  return { status, headers: { ...retry, ...headers }, body, code };
}

export function refuseRate(retryAfterMs: number, message: string): Answer {
  return refuse('RATE_LIMITED', message, {
    headers: { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) },
  });
}

type RefusalCodes = Readonly<Record<'tooMany' | 'tooLarge' | 'forbidden' | 'rejected', RequestCode>>;

export const REFUSAL_CODES: Readonly<Record<Noun, RefusalCodes>> = {
  event: {
    tooMany: 'TOO_MANY_EVENTS',
    tooLarge: 'EVENT_TOO_LARGE',
    forbidden: 'EVENTS_FORBIDDEN',
    rejected: 'EVENTS_REJECTED',
  },
  manifest: {
    tooMany: 'TOO_MANY_MANIFESTS',
    tooLarge: 'MANIFEST_TOO_LARGE',
    forbidden: 'MANIFESTS_FORBIDDEN',
    rejected: 'MANIFESTS_REJECTED',
  },
};

/**
 * 200: every event or manifest is in the log. 207: some are, the others are named. Otherwise none is: 413 if all are too
 * large, 403 if the key may write none of them, else 422.
 */
export function answerOutcomes(outcomes: readonly Outcome[], noun: Noun): Answer {
  const rejected = outcomes.flatMap((one) => (one.outcome === 'rejected' ? [one] : []));
  const accepted = outcomes.length - rejected.length;
  const body = { accepted, rejected: rejected.length, outcomes };
  if (rejected.length === 0) return { status: 200, headers: {}, body, code: 'OK' };
  if (accepted > 0) return { status: 207, headers: {}, body, code: 'OK' };
  const [first] = rejected;
  const message =
    rejected.length === 1 && first !== undefined
      ? first.message
      : `none of ${rejected.length} ${noun}s could be accepted`;
  const extras = { outcomes, ...(rejected.length === 1 && first?.field ? { field: first.field } : {}) };
  const codes = REFUSAL_CODES[noun];
  if (rejected.every(({ code }) => code === 'LINE_TOO_LARGE')) return refuse(codes.tooLarge, message, extras);
  if (rejected.every(({ code }) => code in OWNERSHIP_NEXT_STEP)) return refuse(codes.forbidden, message, extras);
  return refuse(codes.rejected, message, extras);
}

/** Failures of ours. What went wrong inside is for the log, not for the sender. */
export function answerFailure(error: unknown): Answer {
  if (!(error instanceof TrueupError) || !error.retryable) return refuse('INTERNAL', 'the request failed on our side');
  if (error.code === 'KAFKA_UNAVAILABLE') return refuse('NOT_ACKNOWLEDGED', 'the broker did not acknowledge in time');
  return refuse('OVERLOADED', 'a server this door needs is away');
}
