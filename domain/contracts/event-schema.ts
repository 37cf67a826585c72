// The JSON Schema (draft 2020-12) of a usage event, made from the limits and the catalogue the pipeline goes by. It says what
// a schema can: sizes in bytes, calendar days, the age of an event and a void of itself are left to the pipeline. What the
// pipeline accepts is always valid here. Published as docs/event.schema.json.

import { EVENT_TYPES, VOID_TYPE } from '../meter.ts';
import { EVENT_LIMITS } from './topics.ts';

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const CONTROL_FREE = '^[^\\u0000-\\u001f\\u007f-\\u009f]*$';
/** The characters of a URI reference. */
export const SOURCE_PATTERN = "^[A-Za-z0-9\\-._~:/?#\\[\\]@!$&'()*+,;=%]+$";
export const TIME_PATTERN =
  '^(?:200[2-9]|20[1-9][0-9]|210[0-5])-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])' +
  '[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,3})?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$';
const QUANTITY = `^[0-9]{1,${EVENT_LIMITS.quantityIntegerDigitsMax}}(?:\\.0{1,${EVENT_LIMITS.quantityFractionDigitsMax}})?$`;

const identifier = { type: 'string', minLength: 1, maxLength: EVENT_LIMITS.idBytesMax, pattern: CONTROL_FREE };
const absent = { enum: ['', null] };

export const EVENT_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Usage event',
  description: `A CloudEvents 1.0 event in JSON, flat, at most ${EVENT_LIMITS.lineBytesMax} bytes.`,
  type: 'object',
  required: ['specversion', 'id', 'source', 'type', 'subject', 'time'],
  properties: {
    specversion: { const: '1.0' },
    id: {
      ...identifier,
      description: `Unique per subject and source; 1 to ${EVENT_LIMITS.idBytesMax} bytes of UTF-8. Sent again, it counts once.`,
    },
    source: {
      type: 'string',
      minLength: 1,
      maxLength: EVENT_LIMITS.sourceBytesMax,
      pattern: SOURCE_PATTERN,
      description: 'Who emits: a URI reference without white space.',
    },
    type: { enum: [...Object.keys(EVENT_TYPES), VOID_TYPE], description: 'What happened.' },
    subject: {
      type: 'string',
      pattern: `^${LABEL}\\.${LABEL}$`,
      description: 'The namespace: <name>.<account>.',
    },
    time: {
      type: 'string',
      pattern: TIME_PATTERN,
      description:
        'When it happened: RFC 3339 with an offset and at most millisecond precision, 35 days old to 5 minutes ahead.',
    },
    quantity: {
      type: ['string', 'null'],
      pattern: QUANTITY,
      default: '1',
      description: 'A decimal in a string. Every type of the catalogue counts whole units.',
    },
    voids: {
      type: ['string', 'null'],
      maxLength: EVENT_LIMITS.idBytesMax,
      description:
        'On a void only: the id of the event it takes back, of the same subject and source; time repeats its time.',
    },
  },
  additionalProperties: {
    type: ['string', 'number', 'boolean', 'null'],
    description: 'Extension attributes are scalars.',
  },
  if: { properties: { type: { const: VOID_TYPE } }, required: ['type'] },
  // oxlint-disable-next-line unicorn/no-thenable -- `then` is the keyword's name
  then: { properties: { voids: identifier }, required: ['voids'] },
  else: { properties: { voids: absent } },
} as const;
