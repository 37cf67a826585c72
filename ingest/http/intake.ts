// One request from its headers to its answer, in the order that costs least: the key before the body is read, the body
// within the memory budget, the rate before any event is judged. Success means that the broker has every accepted event.

import type { IncomingMessage } from 'node:http';
import { INTAKE_LIMITS } from '../../domain/contracts/intake.ts';
import { accountOf } from '../../domain/event.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tracing } from '../../platform/tracing.ts';
import type { Access, Directory } from './access.ts';
import { checkEvent, checkOwnership, toOutcome, type Checked, type Refused } from './admit.ts';
import { answerOutcomes, refuse, refuseRate, type Answer } from './answer.ts';
import { readBody } from './body.ts';
import type { Budget, Reservation } from './budget.ts';
import type { LogWriter } from './log-writer.ts';
import { parseMedia, type Media } from './media.ts';
import type { RateLimiter } from './rate-limit.ts';
import { splitEvents } from './split.ts';

export type IntakeLimits = { readonly bodyBytesMax: number; readonly eventsMax: number };

export type IntakeParts = {
  readonly directory: Directory;
  readonly limiter: RateLimiter;
  readonly budget: Budget;
  readonly writer: LogWriter;
  /** Arrival of the events: business time, which is also the record timestamp. */
  readonly clock: Clock;
  readonly limits?: IntakeLimits;
  /** What is at work here goes with the records. */
  readonly tracing?: Tracing;
};

/** Facts of one request, collected on its way for its one log line. Never the key itself, never an event. */
export type Facts = Record<string, string | number | boolean | Readonly<Record<string, number>>>;

export async function takeIn(request: IncomingMessage, parts: IntakeParts, facts: Facts): Promise<Answer> {
  const access = await parts.directory.authenticate(request.headers.authorization);
  if ('denied' in access) {
    const headers = { 'WWW-Authenticate': 'Bearer realm="trueup"' };
    return refuse(access.denied, access.message, { field: 'Authorization', headers });
  }
  Object.assign(facts, { keyId: access.key.id, source: access.key.source });
  const media = parseMedia(request.headers);
  if ('status' in media) return media;
  Object.assign(facts, { mediaType: media.type, gzip: media.gzip });

  const reservation = parts.budget.open();
  const held = await takeBody(request, { access, media, reservation }, { parts, facts }).catch((error: unknown) => {
    reservation.release();
    throw error;
  });
  // The bytes count as held until the broker or the writer is done with them, however early the answer is.
  void held.settled.then(() => reservation.release());
  return held.answer();
}

type Arrived = { readonly access: Access; readonly media: Media; readonly reservation: Reservation };
type Work = { readonly parts: IntakeParts; readonly facts: Facts };
type Held = { readonly answer: () => Promise<Answer> | Answer; readonly settled: Promise<void> };

async function takeBody(request: IncomingMessage, { access, media, reservation }: Arrived, work: Work): Promise<Held> {
  const { parts, facts } = work;
  const { bodyBytesMax, eventsMax } = parts.limits ?? INTAKE_LIMITS;
  const done = (answer: Answer): Held => ({ answer: () => answer, settled: Promise.resolve() });
  const body = await readBody(request, { gzip: media.gzip, bytesMax: bodyBytesMax, reservation });
  if (!body.ok) return done(refuse(body.code, body.message, { field: 'body' }));
  facts['bytes'] = body.bytes.length;

  const split = splitEvents(body.bytes, media.format);
  const count = split.ok ? split.events.length : 0;
  facts['events'] = count;
  // A request without a readable event costs a token too, or garbage would be free.
  const taken = await parts.limiter.take(
    access.key.id,
    Math.min(Math.max(1, count), eventsMax),
    access.key.eventsPerSecond,
  );
  facts['rateShared'] = taken.shared;
  if (!taken.allowed) {
    return done(refuseRate(taken.retryAfterMs, `the key may send ${access.key.eventsPerSecond} events a second`));
  }
  if (!split.ok) return done(refuse('BODY_INVALID', split.why, { field: 'body' }));
  if (count === 0) return done(refuse('BODY_INVALID', 'the body holds no event', { field: 'body' }));
  if (count > eventsMax) return done(refuse('TOO_MANY_EVENTS', `the body holds ${count} events`, { field: 'body' }));
  return judgeAndAppend(split.events, access, work);
}

async function judgeAndAppend(
  events: readonly Buffer[],
  { permission }: Access,
  { parts, facts }: Work,
): Promise<Held> {
  const arrivalMs = await parts.clock.now();
  const checked = events.map((value) => checkEvent(value, arrivalMs));
  const covered = checked.flatMap((one) => (one.accepted ? [accountOf(one.event.subject)] : []));
  const known = await parts.directory.fetchRegistered(new Set(covered));
  const verdicts = checked.map((one): Checked | Refused => {
    if (!one.accepted) return one;
    return checkOwnership(one.event, permission, (account) => known.get(account), arrivalMs) ?? one;
  });
  const traceparent = parts.tracing?.traceparent();
  const records = verdicts.flatMap((verdict, index) =>
    verdict.accepted ? [{ key: verdict.key, value: events[index] ?? null, timestampMs: arrivalMs, traceparent }] : [],
  );
  const reasons = Map.groupBy(
    verdicts.flatMap((verdict) => (verdict.accepted ? [] : [verdict.code])),
    (code) => code,
  );
  const rejects = Object.fromEntries([...reasons].map(([code, members]) => [code, members.length]));
  Object.assign(facts, { accepted: records.length, rejected: events.length - records.length, rejects });

  const startMs = performance.now();
  const { acked, settled } = parts.writer.append(records);
  const answer = async () => {
    await acked;
    facts['ackMs'] = Math.round(performance.now() - startMs);
    return answerOutcomes(verdicts.map((verdict, index) => toOutcome(index, verdict)));
  };
  return { answer, settled };
}
