// Decides whether a manifest can be read, for the sink and for the HTTP door alike. Pure; it never throws, whatever the
// bytes. As in an event, the last of a repeated member counts and null means absent; fields it does not know are ignored.

import { isUtf8 } from 'node:buffer';
import {
  MANIFEST_FORM,
  MANIFEST_LIMITS,
  type Manifest,
  type ManifestFault,
  type ManifestField,
} from '../domain/contracts/manifest.ts';
import { HOUR_MS } from '../domain/period.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { isSource, parseObject } from './validate.ts';

export type ManifestVerdict =
  { readonly accepted: true; readonly manifest: Manifest } | ({ readonly accepted: false } & ManifestFault);

/** What a manifest holds once every check has passed. */
type Said = Omit<Manifest, 'hourAtMs'> & { readonly hour: string };

const { eventsMax, quantityIntegerDigitsMax, quantityFractionDigitsMax, revisionMax } = MANIFEST_LIMITS;
const QUANTITY = new RegExp(`^\\d{1,${quantityIntegerDigitsMax}}(?:\\.\\d{1,${quantityFractionDigitsMax}})?$`);

const CHECKS: Readonly<Record<ManifestField, (value: unknown) => boolean>> = {
  source: isSource,
  hour: (value) => typeof value === 'string' && !Number.isNaN(parseHour(value)),
  events: (value) => isCount(value, eventsMax),
  quantity: (value) => typeof value === 'string' && QUANTITY.test(value),
  revision: (value) => isCount(value, revisionMax),
};
const FIELDS = Object.keys(MANIFEST_FORM) as readonly ManifestField[];

export function validateManifest(value: Buffer | null): ManifestVerdict {
  if (value === null || value.length === 0) return refuse({ code: 'EMPTY', field: '' });
  if (value.length > MANIFEST_LIMITS.lineBytesMax) return refuse({ code: 'LINE_TOO_LARGE', field: '' });
  if (!isUtf8(value)) return refuse({ code: 'ENCODING_INVALID', field: '' });
  const fields = parseObject(value);
  if (typeof fields === 'string') return refuse({ code: fields, field: '' });
  const missing = FIELDS.find((name) => fields[name] === undefined || fields[name] === null);
  if (missing !== undefined) return refuse({ code: 'ATTRIBUTE_MISSING', field: missing });
  const invalid = FIELDS.find((name) => !CHECKS[name](fields[name]));
  if (invalid !== undefined) return refuse({ code: 'ATTRIBUTE_INVALID', field: invalid });

  const { source, hour, revision, events, quantity } = fields as Said;
  return { accepted: true, manifest: { source, hourAtMs: parseHour(hour), revision, events, quantity } };
}

function refuse(fault: ManifestFault): ManifestVerdict {
  return { accepted: false, ...fault };
}

/** NaN for anything but the start of an hour. */
function parseHour(text: string): number {
  const atMs = parseRfc3339(text) ?? Number.NaN;
  return atMs % HOUR_MS === 0 ? atMs : Number.NaN;
}

function isCount(value: unknown, max: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= max;
}
