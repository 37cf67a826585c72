// The JSON Schema (draft 2020-12) of a manifest, made from the limits the pipeline goes by. It can't say whether an instant
// is the start of an hour in UTC; everything else it says. Published as docs/manifest.schema.json.

import { SOURCE_PATTERN, TIME_PATTERN } from './event-schema.ts';
import { MANIFEST_LIMITS } from './manifest.ts';
import { EVENT_LIMITS } from './topics.ts';

const { quantityIntegerDigitsMax, quantityFractionDigitsMax, eventsMax, revisionMax, lineBytesMax } = MANIFEST_LIMITS;

export const MANIFEST_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Usage manifest',
  description: `What a source sent for one usage hour, in at most ${lineBytesMax} bytes. Other fields are ignored.`,
  type: 'object',
  required: ['source', 'hour', 'events', 'quantity', 'revision'],
  properties: {
    source: {
      type: 'string',
      minLength: 1,
      maxLength: EVENT_LIMITS.sourceBytesMax,
      pattern: SOURCE_PATTERN,
      description: 'As in the events; over HTTP the source of the key.',
    },
    hour: {
      type: 'string',
      pattern: TIME_PATTERN,
      description: "The hour of the events' time: the start of an hour in UTC.",
    },
    events: {
      type: 'integer',
      minimum: 0,
      maximum: eventsMax,
      description: 'Distinct events of that hour.',
    },
    quantity: {
      type: 'string',
      pattern: `^[0-9]{1,${quantityIntegerDigitsMax}}(?:\\.[0-9]{1,${quantityFractionDigitsMax}})?$`,
      description: 'Sum of their quantities, a decimal in a string. A void counts as 0.',
    },
    revision: {
      type: 'integer',
      minimum: 0,
      maximum: revisionMax,
      description: 'The highest one holds. Raise it whenever another field changes.',
    },
  },
} as const;
