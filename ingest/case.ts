// An operator's case on a record: the event attribute `trueupcase` = `<case id>.<key id>.<mac>`. It waives the age rule and
// nothing else. The MAC (HMAC-SHA256 over the case and everything that counts about the event) is made with a key that
// operators and sinks hold and sources don't, so no source can waive its own lateness, and a case can't be moved to another
// event. What a record decides thus stays in the record; the keys are configuration, and one that was used must stay among
// them as long as its records may be read again.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { TrueupError } from '../domain/contracts/errors.ts';
import type { UsageEvent } from '../domain/event.ts';

export const CASE_ATTRIBUTE = 'trueupcase';

export type CaseKey = { readonly id: string; readonly secret: string };

/** The first signs, all are honoured. None: no case is honoured. */
export type CaseKeys = readonly CaseKey[];

export const NO_CASES: CaseKeys = [];

const CASE_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
const KEY = /^([a-z0-9-]{1,32}):(\S{16,})$/;

/** `k2:secret,k1:older`. Throws `rejected` ENV_INVALID without showing a secret. */
export function parseCaseKeys(text: string | undefined): CaseKeys {
  if (text === undefined || text === '') return NO_CASES;
  return text.split(',').map((part) => {
    const match = KEY.exec(part.trim());
    if (match !== null) return { id: match[1] ?? '', secret: match[2] ?? '' };
    throw new TrueupError({
      kind: 'rejected',
      code: 'ENV_INVALID',
      message: 'TRUEUP_CASE_KEYS is not a list of <key id>:<secret of at least 16 characters>',
      next: 'the first key signs, the others are still honoured',
    });
  });
}

/** Throws `rejected` CASE_INVALID when the case id can't be one. */
export function checkCaseId(caseId: string): void {
  if (CASE_ID.test(caseId)) return;
  throw new TrueupError({
    kind: 'rejected',
    code: 'CASE_INVALID',
    message: `"${caseId}" is not a case id`,
    field: 'case',
    next: 'use lower-case letters, digits and hyphens, at most 64, such as late-2026-11-acme',
  });
}

/** The value of the attribute. Throws `rejected` ENV_INVALID when there is no key to sign with. */
export function signCase(caseId: string, event: UsageEvent, keys: CaseKeys): string {
  checkCaseId(caseId);
  const [key] = keys;
  if (key === undefined) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'ENV_INVALID',
      message: 'there is no key to sign a case with',
      next: 'set TRUEUP_CASE_KEYS to the value the sinks run with',
    });
  }
  return `${caseId}.${key.id}.${mac(caseId, event, key)}`;
}

/** Does the attribute carry a case for exactly this event, signed with one of our keys? */
export function isCaseValid(attribute: unknown, event: UsageEvent, keys: CaseKeys): boolean {
  if (typeof attribute !== 'string') return false;
  const [caseId = '', keyId, given = '', ...rest] = attribute.split('.');
  const key = keys.find(({ id }) => id === keyId);
  if (key === undefined || rest.length > 0 || !CASE_ID.test(caseId)) return false;
  const expected = Buffer.from(mac(caseId, event, key));
  const actual = Buffer.from(given);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

function mac(caseId: string, { subject, source, id, type, atMs, quantity, voids }: UsageEvent, key: CaseKey): string {
  const bound = JSON.stringify([caseId, subject, source, id, type, atMs, quantity, voids]);
  return createHmac('sha256', key.secret).update(bound).digest('base64url');
}
