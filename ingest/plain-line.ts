// The short way for the line nearly every producer writes: attributes in one order, no escapes, times in UTC with
// milliseconds, whole quantities. It is read byte by byte against its own Kafka key, without making a single string.
// It accepts a part of what `validate` accepts, and reads it the same; whatever it does not know it leaves to `validate`,
// which alone rejects. So this file decides how fast an event is taken, never whether.

import { EVENT_LIMITS } from '../domain/contracts/topics.ts';
import { EVENT_TYPES } from '../domain/meter.ts';
import type { LoggedRecord } from '../platform/kafka-record.ts';
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
const TAIL = Buffer.from('"}');
const QUANTITY = Buffer.from('","quantity":"');
/** `2026-10-03T12:34`, the part of an instant that neighbours in the log share. */
const MINUTE_CHARACTERS = 16;
const TIME_CHARACTERS = '2026-10-03T12:34:56.789Z'.length;
/** So many digits are exact in a number; longer quantities go the long way. */
const QUANTITY_DIGITS_MAX = 15;

/** Who sent an event for whom: checked once, then compared byte by byte. */
type Origin = {
  /** `<subject> <source> ` */
  readonly keyStart: Buffer;
  readonly subject: string;
  readonly subjectBytes: Buffer;
  readonly sourceBytes: Buffer;
  readonly beforeType: Buffer;
  readonly beforeTime: Buffer;
};

const SLOTS = 1 << 16;
const TYPES = Object.keys(EVENT_TYPES).map((type) => Buffer.from(type));

/** One per sink: it remembers origins and minutes, both in a fixed number of slots. */
export class PlainLine {
  // What was read last; valid until the next call.
  subject = '';
  subjectBytes: Buffer = HEAD;
  sourceBytes: Buffer = HEAD;
  typeBytes: Buffer = HEAD;
  atMs = 0;
  quantity = 0;
  /** Place of the id in the record's bytes. */
  idAt = 0;
  idEnd = 0;

  private readonly origins: (Origin | undefined)[] = Array.from({ length: SLOTS });
  private readonly minutes = Array.from({ length: 60 }, () => ({ text: Buffer.alloc(MINUTE_CHARACTERS), atMs: 0 }));

  /** False: not a plain line, or not acceptable; nothing is said about why. */
  read(record: LoggedRecord): boolean {
    const { bytes, keyEnd, valueAt, valueEnd } = record;
    if (valueEnd - valueAt > EVENT_LIMITS.lineBytesMax) return false;
    const origin = this.findOrigin(record);
    if (origin === undefined || !matches(bytes, valueAt, HEAD)) return false;
    const idAt = record.keyAt + origin.keyStart.length;
    const idLength = keyEnd - idAt;
    if (idLength < 1 || idLength > EVENT_LIMITS.idBytesMax) return false;
    let at = valueAt + HEAD.length;
    if (!isSameId(bytes, { keyAt: idAt, valueAt: at, length: idLength })) return false;
    at += idLength;
    if (!matches(bytes, at, origin.beforeType)) return false;
    at += origin.beforeType.length;
    const type = findType(bytes, at);
    if (type === undefined) return false;
    at += type.length;
    if (!matches(bytes, at, origin.beforeTime)) return false;
    at += origin.beforeTime.length;
    const atMs = this.readTime(bytes, at);
    const { timestampMs } = record;
    if (!(atMs >= timestampMs - EVENT_LIMITS.ageMaxMs && atMs <= timestampMs + EVENT_LIMITS.aheadMaxMs)) return false;
    const quantity = readQuantity(bytes, at + TIME_CHARACTERS, valueEnd);
    if (quantity < 0) return false;

    this.subject = origin.subject;
    this.subjectBytes = origin.subjectBytes;
    this.sourceBytes = origin.sourceBytes;
    this.typeBytes = type;
    this.atMs = atMs;
    this.quantity = quantity;
    this.idAt = idAt;
    this.idEnd = keyEnd;
    return true;
  }

  private findOrigin({ bytes, keyAt, keyEnd }: LoggedRecord): Origin | undefined {
    if (keyAt < 0) return undefined;
    let at = keyAt;
    let hash = 0x811c_9dc5;
    for (let spaces = 0; spaces < 2; at += 1) {
      if (at >= keyEnd) return undefined;
      const byte = bytes[at] ?? 0;
      if (byte === SPACE) spaces += 1;
      hash = Math.imul(hash ^ byte, 0x0100_0193);
    }
    const slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    const known = this.origins[slot];
    if (known !== undefined && known.keyStart.length === at - keyAt && matches(bytes, keyAt, known.keyStart))
      return known;
    const origin = createOrigin(bytes.toString('latin1', keyAt, at));
    if (origin !== undefined) this.origins[slot] = origin;
    return origin;
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

function createOrigin(keyStart: string): Origin | undefined {
  const [subject = '', source = ''] = keyStart.split(' ');
  if (!isSubject(subject) || !isSource(source)) return undefined;
  return {
    keyStart: Buffer.from(keyStart, 'latin1'),
    subject,
    subjectBytes: Buffer.from(subject, 'latin1'),
    sourceBytes: Buffer.from(source, 'latin1'),
    beforeType: Buffer.from(`","source":"${source}","type":"`, 'latin1'),
    beforeTime: Buffer.from(`","subject":"${subject}","time":"`, 'latin1'),
  };
}

/** Bytes behind the end of `bytes` are undefined and match nothing. */
function matches(bytes: Buffer, at: number, expected: Buffer): boolean {
  const { length } = expected;
  for (let index = 0; index < length; index += 1) {
    if (bytes[at + index] !== expected[index]) return false;
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

function findType(bytes: Buffer, at: number): Buffer | undefined {
  for (const type of TYPES) {
    if (bytes[at] === type[0] && bytes[at + type.length] === QUOTE && matches(bytes, at, type)) return type;
  }
  return undefined;
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
