// One request from its headers to its answer, in the order that costs least: the key before the body is read, the body
// within the memory budget, the rate before anything is judged. Success means that the broker has all that was accepted.

import type { IncomingMessage } from 'node:http';
import { INTAKE_LIMITS } from '../../domain/contracts/intake.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tracing } from '../../platform/tracing.ts';
import type { Access, Directory } from './access.ts';
import { answerOutcomes, refuse, refuseRate, REFUSAL_CODES, type Answer } from './answer.ts';
import { OVERLOADED, readBody, type BodyFault } from './body.ts';
import type { Budget, Reservation } from './budget.ts';
import { judgeEvents } from './judge-events.ts';
import { judgeManifests } from './judge-manifests.ts';
import type { LogWriter } from './log-writer.ts';
import { parseMedia, type Media } from './media.ts';
import type { Noun } from './outcome.ts';
import type { RateLimiter } from './rate-limit.ts';
import { splitBody } from './split.ts';

/** `eventsMax` holds for manifests too. */
export type IntakeLimits = { readonly bodyBytesMax: number; readonly eventsMax: number };

export type IntakeParts = {
  readonly directory: Directory;
  /** An event or a manifest is a token. */
  readonly limiter: RateLimiter;
  readonly budget: Budget;
  /** One for each topic: manifests that wait never delay usage. */
  readonly writers: Readonly<Record<Noun, LogWriter>>;
  /** Arrival of what is sent: business time, which is also the record timestamp. */
  readonly clock: Clock;
  readonly limits?: IntakeLimits;
  /** What is at work here goes with the records. */
  readonly tracing?: Tracing;
};

/** Facts of one request, collected on its way for its one log line. Never the key itself, never what was sent. */
export type Facts = Record<string, string | number | boolean | Readonly<Record<string, number>>>;

/** What a request is handled with. */
export type Work = { readonly noun: Noun; readonly parts: IntakeParts; readonly facts: Facts };

export async function takeIn(request: IncomingMessage, work: Work): Promise<Answer> {
  const { noun, parts, facts } = work;
  const access = await parts.directory.authenticate(request.headers.authorization);
  if ('denied' in access) {
    const headers = { 'WWW-Authenticate': 'Bearer realm="trueup"' };
    return refuse(access.denied, access.message, { field: 'Authorization', headers });
  }
  Object.assign(facts, { keyId: access.key.id, source: access.key.source });
  const media = parseMedia(request.headers, noun);
  if ('status' in media) return media;
  Object.assign(facts, { mediaType: media.type, gzip: media.gzip });

  const reservation = parts.budget.open();
  const held = await takeBody(request, { access, media, reservation }, work).catch((error: unknown) => {
    reservation.release();
    throw error;
  });
  // The bytes count as held until the broker or the writer is done with them, however early the answer is.
  void held.settled.then(() => reservation.release());
  return held.answer();
}

type Arrived = { readonly access: Access; readonly media: Media; readonly reservation: Reservation };
type Held = { readonly answer: () => Promise<Answer> | Answer; readonly settled: Promise<void> };

async function takeBody(request: IncomingMessage, { access, media, reservation }: Arrived, work: Work): Promise<Held> {
  const { noun, parts, facts } = work;
  const { bodyBytesMax, eventsMax } = parts.limits ?? INTAKE_LIMITS;
  const done = (answer: Answer): Held => ({ answer: () => answer, settled: Promise.resolve() });
  const fault = ({ code, message }: Omit<BodyFault, 'ok'>) => done(refuse(code, message, { field: 'body' }));
  const body = await readBody(request, { gzip: media.gzip, bytesMax: bodyBytesMax, reservation });
  if (!body.ok) return fault(body);
  facts['bytes'] = body.bytes.length;

  const split = splitBody(body.bytes, media.format, eventsMax);
  const count = split.ok ? split.pieces.length : 0;
  facts[`${noun}s`] = count;
  // Many small events weigh more than their bytes.
  if (!reservation.grow(count * INTAKE_LIMITS.bytesInFlightPerEvent)) return fault(OVERLOADED);
  // A request in which nothing can be read costs a token too, or garbage would be free.
  const taken = await parts.limiter.take(
    access.key.id,
    Math.min(Math.max(1, count), eventsMax),
    access.key.eventsPerSecond,
  );
  facts['rateShared'] = taken.shared;
  if (!taken.allowed) {
    return done(refuseRate(taken.retryAfterMs, `the key may send ${access.key.eventsPerSecond} ${noun}s a second`));
  }
  if (!split.ok) return fault({ code: 'BODY_INVALID', message: split.why });
  if (count === 0) return fault({ code: 'BODY_INVALID', message: `the body holds no ${noun}` });
  if (count > eventsMax) {
    return fault({ code: REFUSAL_CODES[noun].tooMany, message: `the body holds more than ${eventsMax} ${noun}s` });
  }
  return judgeAndAppend(split.pieces, access, work);
}

async function judgeAndAppend(pieces: readonly Buffer[], access: Access, work: Work): Promise<Held> {
  const { noun, parts, facts } = work;
  const arrivalMs = await parts.clock.now();
  const { outcomes, records } =
    noun === 'event'
      ? await judgeEvents(pieces, access, { directory: parts.directory, arrivalMs })
      : judgeManifests(pieces, access.permission);
  const reasons = Map.groupBy(
    outcomes.flatMap((one) => (one.outcome === 'rejected' ? [one.code] : [])),
    (code) => code,
  );
  const rejects = Object.fromEntries([...reasons].map(([code, members]) => [code, members.length]));
  Object.assign(facts, { accepted: records.length, rejected: pieces.length - records.length, rejects });

  const traceparent = parts.tracing?.traceparent();
  const startMs = performance.now();
  const { acked, settled } = parts.writers[noun].append(
    records.map((record) => ({ ...record, timestampMs: arrivalMs, traceparent })),
  );
  const answer = async () => {
    await acked;
    facts['ackMs'] = Math.round(performance.now() - startMs);
    return answerOutcomes(outcomes, noun);
  };
  return { answer, settled };
}
