// What a source says it produced in one usage hour, and what its sender is told when that can't be read. Over Kafka nobody
// is told; there the reason goes to the log of the sink.

import { EVENT_LIMITS } from './topics.ts';

export type Manifest = {
  readonly source: string;
  readonly hourAtMs: number;
  readonly revision: number;
  readonly events: number;
  readonly quantity: string;
};

export const MANIFEST_LIMITS = {
  lineBytesMax: EVENT_LIMITS.lineBytesMax,
  eventsMax: Number.MAX_SAFE_INTEGER,
  quantityIntegerDigitsMax: 40,
  quantityFractionDigitsMax: 12,
  revisionMax: 2 ** 32 - 1,
} as const;

/** What a source must say, in the order in which it is checked, and in which form. */
export const MANIFEST_FORM = {
  source: 'source is the source of the events, as they carry it',
  hour: 'hour is the start of an hour in RFC 3339, such as 2026-10-03T12:00:00Z',
  events: 'events is a whole number, not negative: the distinct events of the hour',
  quantity: 'quantity is a decimal string, not negative, up to 40 digits before and 12 after the point',
  revision: 'revision is a whole number from 0 to 4,294,967,295; the highest one holds',
} as const;

export type ManifestField = keyof typeof MANIFEST_FORM;

/** Why a manifest can't be taken, one sentence per code, in the order in which they are checked; the last is the HTTP door's own. */
export const MANIFEST_MESSAGE = {
  EMPTY: 'there is no manifest',
  LINE_TOO_LARGE: 'the manifest is too large',
  ENCODING_INVALID: 'the manifest is not UTF-8',
  NOT_JSON: 'the manifest is not JSON',
  NOT_AN_OBJECT: 'the manifest is not a JSON object',
  ATTRIBUTE_MISSING: 'a required field is missing',
  ATTRIBUTE_INVALID: 'a field is not what it must be',
  SOURCE_NOT_ALLOWED: 'the key belongs to another source',
} as const;

export type ManifestCode = keyof typeof MANIFEST_MESSAGE;
type FieldCode = 'ATTRIBUTE_MISSING' | 'ATTRIBUTE_INVALID';
type WholeCode = Exclude<ManifestCode, FieldCode | 'SOURCE_NOT_ALLOWED'>;

/** `field` is empty when it is the manifest as a whole. */
export type ManifestFault =
  | { readonly code: FieldCode; readonly field: ManifestField }
  | { readonly code: WholeCode; readonly field: '' }
  | { readonly code: 'SOURCE_NOT_ALLOWED'; readonly field: 'source' };

const NEXT_STEP: Readonly<Record<Exclude<ManifestCode, FieldCode>, string>> = {
  EMPTY: 'send one JSON object per manifest',
  LINE_TOO_LARGE: 'keep a manifest within 65,536 bytes',
  ENCODING_INVALID: 'encode the manifest as UTF-8',
  NOT_JSON: 'send exactly one JSON object per manifest',
  NOT_AN_OBJECT: 'send a JSON object, not an array or a scalar',
  SOURCE_NOT_ALLOWED: 'a key speaks for one source only: set source to it, or use the key of that source',
};

/** What its sender should do. */
export function nextStepOf({ code, field }: ManifestFault): string {
  return code === 'ATTRIBUTE_MISSING' || code === 'ATTRIBUTE_INVALID' ? MANIFEST_FORM[field] : NEXT_STEP[code];
}
