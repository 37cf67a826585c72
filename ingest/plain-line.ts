// The short way for the line nearly every producer writes: attributes in one order, no escapes, times in UTC with
// milliseconds, whole quantities. It is read byte by byte against its own Kafka key, without making a single string.
// It accepts a part of what `validate` accepts, and reads it the same; whatever it does not know it leaves to `validate`,
// which alone rejects. So this file decides how fast an event is taken, never whether.

import { EVENT_LIMITS } from '../domain/contracts/topics.ts';
import { VOID_TYPE } from '../domain/meter.ts';
import type { LoggedRecord } from '../platform/kafka-record.ts';
import { TYPE_NAMES } from './event-columns.ts';
import { nameOf, NOBODY, type Name } from './names.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { isSource, isSubject } from './validate.ts';

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const TILDE = 0x7e;
const DOT = 0x2e;
const COLON = 0x3a;
const LETTER_Z = 0x5a;

const HEAD = Buffer.from('{"specversion":"1.0","id":"');
const SOURCE = Buffer.from('","source":"');
const TYPE = Buffer.from('","type":"');
const SUBJECT = Buffer.from('","subject":"');
const TIME = Buffer.from('","time":"');
const TAIL = Buffer.from('"}');
const QUANTITY = Buffer.from('","quantity":"');
/** `2026-10-03T12:34`, the part of an instant that neighbours in the log share. */
const MINUTE_CHARACTERS = 16;
const TIME_CHARACTERS = '2026-10-03T12:34:56.789Z'.length;
/** So many digits are exact in a number; longer quantities go the long way. */
const QUANTITY_DIGITS_MAX = 15;

/** Origins whose part of the key is longer go the long way. */
const ORIGIN_BYTES_MAX = 128;
const SLOTS = 1 << 16;
const TYPES = TYPE_NAMES.map((type) => Buffer.from(type));
const VOID = TYPE_NAMES.indexOf(VOID_TYPE);

/** One per sink: it remembers origins and minutes, both in a fixed number of slots. */
export class PlainLine {
  // What was read last; valid until the next call.
  namespace: Name = NOBODY;
  source: Name = NOBODY;
  /** Index in TYPE_NAMES. */
  typeNumber = 0;
  atMs = 0;
  quantity = 0;
  /** Place of the id in the record's bytes. */
  idAt = 0;
  idEnd = 0;

  // Who sent an event for whom: `<subject> <source> `, checked once and then compared byte by byte, all in one place.
  private readonly origins = Buffer.alloc(SLOTS * ORIGIN_BYTES_MAX);
  private readonly originLengths = new Uint8Array(SLOTS);
  private readonly namespaces: Name[] = Array.from({ length: SLOTS }, () => NOBODY);
  private readonly sources: Name[] = Array.from({ length: SLOTS }, () => NOBODY);
  private subjectEnd = 0;
  private originEnd = 0;
  private readonly minutes = Array.from({ length: 60 }, () => ({ text: Buffer.alloc(MINUTE_CHARACTERS), atMs: 0 }));

  /** False: not a plain line, or not acceptable; nothing is said about why. */
  read(record: LoggedRecord): boolean {
    const { bytes, keyEnd, valueAt, valueEnd } = record;
    if (valueEnd - valueAt > EVENT_LIMITS.lineBytesMax) return false;
    const slot = this.findOrigin(record);
    if (slot < 0 || !matches(bytes, valueAt, HEAD)) return false;
    const { subjectEnd, originEnd } = this;
    const { keyAt } = record;
    const idLength = keyEnd - originEnd;
    if (idLength < 1 || idLength > EVENT_LIMITS.idBytesMax) return false;
    let at = valueAt + HEAD.length;
    if (!isSameId(bytes, { keyAt: originEnd, valueAt: at, length: idLength })) return false;
    at += idLength;
    const sourceAt = subjectEnd + 1;
    const sourceEnd = originEnd - 1;
    if (!matches(bytes, at, SOURCE) || !repeats(bytes, at + SOURCE.length, sourceAt, sourceEnd)) return false;
    at += SOURCE.length + sourceEnd - sourceAt;
    if (!matches(bytes, at, TYPE)) return false;
    at += TYPE.length;
    const typeNumber = findType(bytes, at);
    // Whoever takes something back is read the long way.
    if (typeNumber < 0 || typeNumber === VOID) return false;
    at += TYPES[typeNumber]?.length ?? 0;
    if (!matches(bytes, at, SUBJECT) || !repeats(bytes, at + SUBJECT.length, keyAt, subjectEnd)) return false;
    at += SUBJECT.length + subjectEnd - keyAt;
    if (!matches(bytes, at, TIME)) return false;
    at += TIME.length;
    const atMs = this.readTime(bytes, at);
    const { timestampMs } = record;
    if (!(atMs >= timestampMs - EVENT_LIMITS.ageMaxMs && atMs <= timestampMs + EVENT_LIMITS.aheadMaxMs)) return false;
    const quantity = readQuantity(bytes, at + TIME_CHARACTERS, valueEnd);
    if (quantity < 0) return false;

    this.namespace = this.namespaces[slot] ?? NOBODY;
    this.source = this.sources[slot] ?? NOBODY;
    this.typeNumber = typeNumber;
    this.atMs = atMs;
    this.quantity = quantity;
    this.idAt = originEnd;
    this.idEnd = keyEnd;
    return true;
  }

  /** Finds the end of subject and of origin in the key, and the origin's slot; -1 when it isn't acceptable. */
  private findOrigin({ bytes, keyAt, keyEnd }: LoggedRecord): number {
    if (keyAt < 0) return -1;
    let at = keyAt;
    let hash = 0x811c_9dc5;
    for (let spaces = 0; spaces < 2; at += 1) {
      if (at >= keyEnd) return -1;
      const byte = bytes[at] ?? 0;
      if (byte === SPACE) {
        if (spaces === 0) this.subjectEnd = at;
        spaces += 1;
      }
      hash = Math.imul(hash ^ byte, 0x0100_0193);
    }
    this.originEnd = at;
    const length = at - keyAt;
    if (length > ORIGIN_BYTES_MAX) return -1;
    const slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    const known = this.originLengths[slot] === length && this.isInSlot(bytes, slot, keyAt);
    return known || this.fillSlot(bytes, slot, keyAt) ? slot : -1;
  }

  private isInSlot(bytes: Buffer, slot: number, keyAt: number): boolean {
    const { origins, originEnd } = this;
    let known = slot * ORIGIN_BYTES_MAX;
    for (let at = keyAt; at < originEnd; at += 1) {
      if (bytes[at] !== origins[known]) return false;
      known += 1;
    }
    return true;
  }

  private fillSlot(bytes: Buffer, slot: number, keyAt: number): boolean {
    const [subject = '', source = ''] = bytes.toString('latin1', keyAt, this.originEnd).split(' ');
    if (!isSubject(subject) || !isSource(source)) return false;
    bytes.copy(this.origins, slot * ORIGIN_BYTES_MAX, keyAt, this.originEnd);
    this.originLengths[slot] = this.originEnd - keyAt;
    this.namespaces[slot] = nameOf(subject);
    this.sources[slot] = nameOf(source);
    return true;
  }

  /** Epoch milliseconds; NaN if these are not the 24 characters of an instant. */
  private readTime(bytes: Buffer, at: number): number {
    const marked = bytes[at + 16] === COLON && bytes[at + 19] === DOT && bytes[at + 23] === LETTER_Z;
    const second = twoDigits(bytes, at + 17);
    const lastDigit = (bytes[at + 22] ?? 0) - 48;
    if (!marked || !(second <= 59) || !(lastDigit >= 0 && lastDigit <= 9)) return Number.NaN;
    const millisecond = twoDigits(bytes, at + 20) * 10 + lastDigit;
    const minute = this.minutes[twoDigits(bytes, at + 14)];
    if (minute === undefined) return Number.NaN;
    if (!matches(bytes, at, minute.text)) {
      const minuteMs = parseRfc3339(`${bytes.toString('latin1', at, at + MINUTE_CHARACTERS)}:00Z`);
      if (minuteMs === undefined) return Number.NaN;
      bytes.copy(minute.text, 0, at, at + MINUTE_CHARACTERS);
      minute.atMs = minuteMs;
    }
    return minute.atMs + second * 1000 + millisecond;
  }
}

/** Bytes behind the end of `bytes` are undefined and match nothing. */
function matches(bytes: Buffer, at: number, expected: Buffer): boolean {
  const { length } = expected;
  for (let index = 0; index < length; index += 1) {
    if (bytes[at + index] !== expected[index]) return false;
  }
  return true;
}

/** Whether the same bytes stand at `at` as from `start` to `end`. */
function repeats(bytes: Buffer, at: number, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) {
    if (bytes[at + index - start] !== bytes[index]) return false;
  }
  return true;
}

type IdPlaces = { readonly keyAt: number; readonly valueAt: number; readonly length: number };

/** The id in the line is the id in the key, byte by byte, and holds nothing that JSON would spell otherwise. */
function isSameId(bytes: Buffer, { keyAt, valueAt, length }: IdPlaces): boolean {
  for (let index = 0; index < length; index += 1) {
    const byte = bytes[valueAt + index] ?? 0;
    if (byte !== bytes[keyAt + index] || byte < SPACE || byte > TILDE || byte === QUOTE || byte === BACKSLASH)
      return false;
  }
  return true;
}

/** Index in TYPE_NAMES, -1 for none of them. */
function findType(bytes: Buffer, at: number): number {
  for (let number = 0; number < TYPES.length; number += 1) {
    const type = TYPES[number] ?? HEAD;
    if (bytes[at] === type[0] && bytes[at + type.length] === QUOTE && matches(bytes, at, type)) return number;
  }
  return -1;
}

/** What stands behind the time: nothing means 1. Negative: something this file does not read. */
function readQuantity(bytes: Buffer, at: number, end: number): number {
  if (at + TAIL.length === end) return matches(bytes, at, TAIL) ? 1 : -1;
  const digitsAt = at + QUANTITY.length;
  const digitsEnd = end - TAIL.length;
  const digits = digitsEnd - digitsAt;
  if (digits < 1 || digits > QUANTITY_DIGITS_MAX) return -1;
  if (!matches(bytes, at, QUANTITY) || !matches(bytes, digitsEnd, TAIL)) return -1;
  let quantity = 0;
  for (let index = digitsAt; index < digitsEnd; index += 1) {
    const digit = (bytes[index] ?? 0) - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    quantity = quantity * 10 + digit;
  }
  return quantity;
}

function twoDigits(bytes: Buffer, at: number): number {
  const tens = (bytes[at] ?? 0) - 48;
  const ones = (bytes[at + 1] ?? 0) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}
