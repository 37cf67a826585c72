// Decides about one event at the HTTP door. First the sink's own rule, with the identity as key and the time of the request
// as arrival: what passes here passes there, as both look at the same record. Then who may write it. Pure.

import type { EventCode } from '../../domain/contracts/intake.ts';
import { EVENT_MESSAGE, EVENT_NEXT_STEP } from '../../domain/contracts/intake.ts';
import { accountOf, identityKey, type UsageEvent } from '../../domain/event.ts';
import { validate } from '../validate.ts';
import type { Outcome } from './outcome.ts';

export type Refused = {
  readonly accepted: false;
  readonly code: EventCode;
  readonly field: string;
  readonly id: string;
};
export type Checked = { readonly accepted: true; readonly event: UsageEvent; readonly key: Buffer };

/** What a key may write. */
export type Permission = { readonly source: string; readonly accounts: 'all' | ReadonlySet<string> };

/** Judges the bytes alone: would the sink count this record if it arrived now under its own identity? */
export function checkEvent(value: Buffer, arrivalMs: number): Checked | Refused {
  const origin = readOrigin(value);
  const key = Buffer.from(identityKey(origin));
  const verdict = validate(key, value, arrivalMs);
  if (verdict.accepted) return { accepted: true, event: verdict.event, key };
  return { accepted: false, code: verdict.reason, field: verdict.field, id: origin.id };
}

/** Judges who sends it. `registeredAtMs` of an account is undefined when nobody registered it. */
export function checkOwnership(
  event: UsageEvent,
  permission: Permission,
  registeredAtMs: (account: string) => number | undefined,
  arrivalMs: number,
): Refused | undefined {
  const refuse = (code: EventCode, field: string): Refused => ({ accepted: false, code, field, id: event.id });
  if (event.source !== permission.source) return refuse('SOURCE_NOT_ALLOWED', 'source');
  const account = accountOf(event.subject);
  // Before asking whether it exists: a key learns nothing about accounts it does not cover.
  if (permission.accounts !== 'all' && !permission.accounts.has(account))
    return refuse('ACCOUNT_NOT_ALLOWED', 'subject');
  const sinceMs = registeredAtMs(account);
  if (sinceMs === undefined || sinceMs > arrivalMs) return refuse('ACCOUNT_UNKNOWN', 'subject');
  return undefined;
}

export function toOutcome(index: number, verdict: Checked | Refused): Outcome {
  if (verdict.accepted) return { index, id: verdict.event.id, outcome: 'accepted' };
  const { id, code, field } = verdict;
  const [message, next] = [EVENT_MESSAGE[code], EVENT_NEXT_STEP[code]];
  return { index, id, outcome: 'rejected', code, message, field: field === '' ? null : field, retryable: false, next };
}

const SHOWN_ID_MAX = 256;

/** The parts of the identity as far as they are there; `validate` says what is wrong with the rest. */
function readOrigin(value: Buffer): Pick<UsageEvent, 'subject' | 'source' | 'id'> {
  const nothing = { subject: '', source: '', id: '' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString('utf8'));
  } catch {
    return nothing;
  }
  if (typeof parsed !== 'object' || parsed === null) return nothing;
  const { subject, source, id } = parsed as Readonly<Record<string, unknown>>;
  return { subject: textOf(subject), source: textOf(source), id: textOf(id).slice(0, SHOWN_ID_MAX) };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
