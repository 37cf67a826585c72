// What the HTTP door answers: limits, codes of requests and of events. Reasons that lie in the event itself are those of
// reject-reasons.ts; the door adds what only it can know, who is asking. What is said of a manifest stands in manifest.ts.

import { EVENT_LIMITS } from './topics.ts';
import { MANIFEST_LIMITS } from './manifest.ts';
import { REJECT_NEXT_STEP, type RejectReason } from './reject-reasons.ts';

export const INTAKE_LIMITS = {
  /** After decompression. Small enough that a request never fills a Kafka request of its own. */
  bodyBytesMax: 1_048_576,
  /** Or manifests. */
  eventsMax: 1_000,
  /** Of all requests of one process that are read or wait for their ack; beyond it new ones get 503. */
  bytesInFlightMax: 64 * 1_048_576,
  /** What an event or a manifest in hand costs beside its own bytes: about 400 on the heap, measured, and some room. */
  bytesInFlightPerEvent: 512,
  /** A request whose events the broker has not acknowledged by then gets 503. */
  ackTimeoutMs: 10_000,
  /** Default of a key; a key can have its own. */
  eventsPerSecond: 2_000,
  /** Seconds of its rate that an idle key may send at once. */
  burstSeconds: 5,
} as const;

type RequestAnswer = { readonly status: number; readonly retryable: boolean; readonly next: string };

const never = (status: number, next: string): RequestAnswer => ({ status, retryable: false, next });
const later = (status: number, next: string): RequestAnswer => ({ status, retryable: true, next });

/** Answers to a request as a whole. */
export const REQUEST_CODES = {
  KEY_MISSING: never(401, 'send Authorization: Bearer <API key>'),
  KEY_INVALID: never(
    401,
    'check that the key is complete and belongs to this environment; trueup keys list shows what exists',
  ),
  KEY_EXPIRED: never(401, 'use the key that replaced it, or make one with trueup keys create'),
  PATH_UNKNOWN: never(404, 'send events to POST /v1/events and manifests to POST /v1/manifests'),
  METHOD_NOT_ALLOWED: never(405, 'use POST'),
  CONTENT_TYPE_UNSUPPORTED: never(
    415,
    'send events as application/cloudevents+json, application/cloudevents-batch+json or application/x-ndjson, and ' +
      'manifests as application/json or application/x-ndjson',
  ),
  CONTENT_ENCODING_UNSUPPORTED: never(415, 'send the body plain or with Content-Encoding: gzip'),
  BODY_INVALID: never(400, 'send what Content-Type and Content-Encoding announce'),
  BODY_TOO_LARGE: never(
    413,
    `split the request: a body may have ${INTAKE_LIMITS.bodyBytesMax} bytes after decompression`,
  ),
  TOO_MANY_EVENTS: never(413, `split the request: it may carry ${INTAKE_LIMITS.eventsMax} events`),
  EVENT_TOO_LARGE: never(413, `an event may have ${EVENT_LIMITS.lineBytesMax} bytes`),
  EVENTS_FORBIDDEN: never(403, 'see outcomes: this key may not write these events'),
  EVENTS_REJECTED: never(422, 'see outcomes: mend the events, or keep them aside; they were not stored'),
  TOO_MANY_MANIFESTS: never(413, `split the request: it may carry ${INTAKE_LIMITS.eventsMax} manifests`),
  MANIFEST_TOO_LARGE: never(413, `a manifest may have ${MANIFEST_LIMITS.lineBytesMax} bytes`),
  MANIFESTS_FORBIDDEN: never(403, 'see outcomes: this key does not speak for these sources'),
  MANIFESTS_REJECTED: never(422, 'see outcomes: mend the manifests; they were not stored'),
  RATE_LIMITED: later(429, 'send the same request again after Retry-After seconds'),
  OVERLOADED: later(503, 'send the same request again after Retry-After seconds'),
  NOT_ACKNOWLEDGED: later(503, 'send the same request again: what did arrive counts once'),
  STOPPING: later(503, 'send the same request again: another process will take it'),
  INTERNAL: later(500, 'send the same request again; if it persists, report the request id'),
} as const satisfies Readonly<Record<string, RequestAnswer>>;

export type RequestCode = keyof typeof REQUEST_CODES;

/** Reasons of the door's own, checked after those of reject-reasons.ts and in this order. */
export const OWNERSHIP_NEXT_STEP = {
  SOURCE_NOT_ALLOWED: 'a key writes for one source only: set source to it, or use the key of that source',
  ACCOUNT_NOT_ALLOWED: 'the key does not cover the account in subject: use a key that does',
  ACCOUNT_UNKNOWN: 'register the account, then send the event again',
} as const;

export type OwnershipReason = keyof typeof OWNERSHIP_NEXT_STEP;
export type EventCode = RejectReason | OwnershipReason;

export const EVENT_NEXT_STEP: Readonly<Record<EventCode, string>> = { ...REJECT_NEXT_STEP, ...OWNERSHIP_NEXT_STEP };

/** What is wrong, one sentence per code. */
export const EVENT_MESSAGE: Readonly<Record<EventCode, string>> = {
  EMPTY: 'there is no event',
  LINE_TOO_LARGE: 'the event is too large',
  ENCODING_INVALID: 'the event is not UTF-8',
  NOT_JSON: 'the event is not JSON',
  NOT_AN_OBJECT: 'the event is not a JSON object',
  SPECVERSION_UNSUPPORTED: 'specversion is missing or not "1.0"',
  ATTRIBUTE_MISSING: 'a required attribute is missing',
  ATTRIBUTE_INVALID: 'an attribute is not what it must be',
  SUBJECT_INVALID: 'subject is not <name>.<account>',
  TYPE_UNKNOWN: 'the event type is not in the catalogue',
  TIME_INVALID: 'time is not an RFC 3339 instant of at most millisecond precision',
  QUANTITY_INVALID: 'quantity is not a decimal string in range',
  QUANTITY_NOT_WHOLE: 'quantity is not whole',
  VOID_INVALID: 'the void names no other event, or another type names one',
  KEY_MISMATCH: 'the Kafka key is not the identity of the event',
  TIME_TOO_OLD: 'the usage is older than 35 days',
  TIME_IN_FUTURE: 'the usage is more than 5 minutes ahead',
  SOURCE_NOT_ALLOWED: 'the key belongs to another source',
  ACCOUNT_NOT_ALLOWED: 'the key does not cover this account',
  ACCOUNT_UNKNOWN: 'the account is not registered',
};
