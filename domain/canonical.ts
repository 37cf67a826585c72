// One spelling per value, so that equal content has equal hashes wherever and whenever it is computed.

import { createHash } from 'node:crypto';

/** JSON made of strings, integers within the safe range, booleans, null, arrays and objects. Bigints go in as strings. */
export type Canonical = string | number | boolean | null | readonly Canonical[] | { readonly [key: string]: Canonical };

/** Keys sorted by code unit, no white space. Throws on a number that is not a safe integer: its spelling isn't unique. */
export function canonicalJson(value: Canonical): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} has no canonical spelling; pass it as a string`);
    return String(value);
  }
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
}

function isArray(value: Canonical): value is readonly Canonical[] {
  return Array.isArray(value);
}

/** SHA-256 in lower-case hex. */
export function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}
