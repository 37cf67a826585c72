// The closed list of reasons why a record can't be counted, in the order in which they are checked:
// the first that holds is the reason. A rejected record is kept with its coordinates and can be replayed.

export const REJECT_REASONS = [
  'EMPTY',
  'LINE_TOO_LARGE',
  'ENCODING_INVALID',
  'NOT_JSON',
  'NOT_AN_OBJECT',
  'SPECVERSION_UNSUPPORTED',
  'ATTRIBUTE_MISSING',
  'ATTRIBUTE_INVALID',
  'SUBJECT_INVALID',
  'TYPE_UNKNOWN',
  'TIME_INVALID',
  'QUANTITY_INVALID',
  'QUANTITY_NOT_WHOLE',
  'VOID_INVALID',
  'KEY_MISMATCH',
  'TIME_TOO_OLD',
  'TIME_IN_FUTURE',
] as const;

export type RejectReason = (typeof REJECT_REASONS)[number];

/** What the sender of a rejected event should do: one sentence per reason. */
export const REJECT_NEXT_STEP: Readonly<Record<RejectReason, string>> = {
  EMPTY: 'send one JSON object per record; tombstones have no meaning on this topic',
  LINE_TOO_LARGE: 'keep an event within 65,536 bytes',
  ENCODING_INVALID: 'encode the event as UTF-8',
  NOT_JSON: 'send exactly one JSON object per record',
  NOT_AN_OBJECT: 'send a JSON object, not an array or a scalar',
  SPECVERSION_UNSUPPORTED: 'set specversion to "1.0"',
  ATTRIBUTE_MISSING: 'set id, source, type, subject and time',
  ATTRIBUTE_INVALID: 'attributes are non-empty strings within their limits; extension attributes are scalars',
  SUBJECT_INVALID: 'subject is the namespace, <name>.<account> in lower-case letters, digits and hyphens',
  TYPE_UNKNOWN: 'use an event type of the catalogue in domain/meter.ts, or have it added there',
  TIME_INVALID: 'time is RFC 3339 with an offset and at most millisecond precision',
  QUANTITY_INVALID: 'quantity is a decimal string, not negative, up to 20 digits before and 12 after the point',
  QUANTITY_NOT_WHOLE: 'this type counts whole units only',
  VOID_INVALID: 'a void names an earlier id in "voids"; no other type carries that attribute',
  KEY_MISMATCH: 'the Kafka key is "<subject> <source> <id>", so that all copies meet in one partition',
  TIME_TOO_OLD: 'usage older than 35 days at arrival needs an operator replay under a case id',
  TIME_IN_FUTURE: 'correct the clock of the source: time was more than 5 minutes ahead of arrival',
};
