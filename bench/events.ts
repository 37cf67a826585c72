// The events all contenders move: a stream of JSON lines of about 150 bytes, the same bytes for the same size, always.
// Half of it belongs to 100 busy namespaces, the rest to all others; one line in a hundred is sent again a little later;
// times trail arrivals by up to half a minute. Pure.

import { identityKey } from '../domain/event.ts';
import { EVENT_TYPES } from '../domain/meter.ts';

export type EventShape = {
  readonly messages: number;
  readonly namespaces: number;
  /** Length of the usage time the stream spans. */
  readonly minutes: number;
  /** Epoch milliseconds; a morning in October 2026 by default. */
  readonly startMs?: number;
  /** How far before the start times may lie; not at all by default. */
  readonly leadMs?: number;
};

export type Message = {
  readonly type: string;
  readonly key: string;
  readonly value: string;
  readonly timestampMs: number;
};

export type Totals = {
  readonly unique: number;
  /** What the unique events come to in meter units. */
  readonly units: number;
  readonly lastMinuteMs: number;
};

const START_MS = Date.UTC(2026, 9, 3, 9, 30);
const MINUTE_MS = 60_000;
const BUSY_NAMESPACES = 100;
const BUSY_SHARE = 0.5;
const DUPLICATE_SHARE = 0.01;
/** How far back a line that is sent again may lie, in messages. */
const DUPLICATE_REACH = 5_000;
const DELAY_MAX_MS = 30_000;
const SOURCES = ['aws-use1', 'aws-euw1', 'gcp-use4', 'az-weu'];
const TYPES = [
  ...repeat('activity_execution', 10),
  ...repeat('workflow_start', 3),
  ...repeat('timer_start', 2),
  ...repeat('signal_send', 2),
  'query',
  'child_workflow',
  'update',
];

/** Yields every message in log order and returns what all of them together hold. */
export function* generateEvents(shape: EventShape): Generator<Message, Totals, undefined> {
  const random = createRandom(20_261_003);
  const recent: Message[] = [];
  const { startMs = START_MS, leadMs = 0 } = shape;
  const spanMs = shape.minutes * MINUTE_MS;
  let unique = 0;
  let units = 0;
  let lastMs = 0;
  for (let index = 0; index < shape.messages; index += 1) {
    const arrivedMs = startMs + Math.floor((index / shape.messages) * spanMs);
    const again = random() < DUPLICATE_SHARE ? recent[Math.floor(random() * recent.length)] : undefined;
    if (again !== undefined) {
      yield { ...again, timestampMs: arrivedMs };
      continue;
    }
    const count = random() < 0.7 ? 1 : 2 + Math.floor(random() * 8);
    const atMs = Math.max(startMs - leadMs, arrivedMs - Math.floor(random() ** 3 * DELAY_MAX_MS));
    const message = composeMessage(random, { namespaces: shape.namespaces, count, atMs, arrivedMs });
    recent[index % DUPLICATE_REACH] = message;
    unique += 1;
    units += count * (EVENT_TYPES[message.type]?.weight ?? 0);
    lastMs = Math.max(lastMs, atMs);
    yield message;
  }
  return { unique, units, lastMinuteMs: lastMs - (lastMs % MINUTE_MS) };
}

type Random = () => number;

type Facts = { namespaces: number; count: number; atMs: number; arrivedMs: number };

function composeMessage(random: Random, { namespaces, count, atMs, arrivedMs }: Facts): Message {
  const busy = random() < BUSY_SHARE;
  const number = Math.floor(random() * (busy ? Math.min(BUSY_NAMESPACES, namespaces) : namespaces));
  const subject = `prod-${number}.acct-${number % 1_000}`;
  const source = `/cell/${SOURCES[number % SOURCES.length] ?? ''}`;
  const type = TYPES[Math.floor(random() * TYPES.length)] ?? 'query';
  const id = `${hex32(random)}${hex32(random)}`;
  const time = new Date(atMs).toISOString();
  // One unit is what an event without a quantity counts.
  const quantity = count === 1 ? '' : `,"quantity":"${count}"`;
  const value = `{"specversion":"1.0","id":"${id}","source":"${source}","type":"${type}","subject":"${subject}","time":"${time}"${quantity}}`;
  return { type, key: identityKey({ subject, source, id }), value, timestampMs: arrivedMs };
}

function hex32(random: Random): string {
  return Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}

/** Mulberry32: small, fast, and the same everywhere. */
function createRandom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function repeat(type: string, times: number): string[] {
  return Array.from({ length: times }, () => type);
}
