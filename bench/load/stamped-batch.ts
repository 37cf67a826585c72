// A record batch of Kafka (format v2) that is encoded once and sent many times: before each send its ids, its times and
// its probe get new values in place, so that a sender makes hundreds of thousands of fresh events a second with a small
// part of a core. Lines and keys are the generator's, to the byte.

import { identityKey } from '../../domain/event.ts';
import type { Message } from '../events.ts';
import { crc32c } from './crc32c.ts';

/** A batch's length stands after 12 bytes, its checksum begins after 21, its records after 61. */
const PLACES = { length: 8, magic: 16, crc: 17, checked: 21, lastDelta: 23, firstTime: 27, lastTime: 35, producer: 43 };
const HEADER_BYTES = 61;
const LENGTH_ENDS = 12;
const MAGIC = 2;
const HEAD_BYTES = '{"specversion":"1.0","id":"'.length;
/** The part of an id that a send changes: its last eight characters. */
const FRESH_ID_BYTES = 8;
const TIME = '"time":"';
const MINUTE_MS = 60_000;
const ZERO = 0x30;
const PROBE_DIGITS = 6;

export function probeName(number: number): string {
  return `probe-${String(number).padStart(PROBE_DIGITS, '0')}.bench`;
}

/** What every send changes. */
export type Stamp = {
  /** Becomes part of every id; below 2^32. */
  readonly send: number;
  /** What the template's times are counted from, epoch milliseconds. */
  readonly startMs: number;
  /** The records' timestamp, epoch milliseconds. */
  readonly arrivedMs: number;
  readonly probe: number;
};

export class StampedBatch {
  readonly bytes: Buffer;
  readonly count: number;
  private readonly times: Float64Array;
  private readonly keyIds: Uint32Array;
  private readonly valueIds: Uint32Array;
  private readonly timesAt: Uint32Array;
  private readonly probesAt: readonly number[];
  private readonly minutes = new Map<number, Buffer>();

  /** Times of the messages are counted from `startMs`. With `withProbe` a probe's event is the last record. */
  constructor(messages: readonly Message[], startMs: number, withProbe: boolean) {
    const all = withProbe ? [...messages, composeProbe(startMs)] : messages;
    const records = all.map(encodeRecord);
    this.count = all.length;
    this.bytes = Buffer.concat([Buffer.alloc(HEADER_BYTES), ...records.map(({ bytes }) => bytes)]);
    this.times = Float64Array.from(all, ({ value }) => Date.parse(timeOf(value)) - startMs);
    let at = HEADER_BYTES;
    const starts = records.map(({ bytes }) => (at += bytes.length) - bytes.length);
    const place = (within: (record: Encoded) => number) =>
      Uint32Array.from(records, (record, index) => (starts[index] ?? 0) + within(record));
    this.keyIds = place(({ keyEnd }) => keyEnd - FRESH_ID_BYTES);
    this.valueIds = place(({ valueAt, idBytes }) => valueAt + HEAD_BYTES + idBytes - FRESH_ID_BYTES);
    this.timesAt = place(({ valueAt, timeAt }) => valueAt + timeAt);
    this.probesAt = withProbe ? findAll(this.bytes, probeName(0)) : [];
    this.writeHeader();
  }

  stamp({ send, startMs, arrivedMs, probe }: Stamp): void {
    const { bytes, times, keyIds, valueIds, timesAt } = this;
    const id = Buffer.from(send.toString(16).padStart(FRESH_ID_BYTES, '0'));
    for (let index = 0; index < times.length; index += 1) {
      const [keyAt, valueAt] = [keyIds[index] ?? 0, valueIds[index] ?? 0];
      for (let byte = 0; byte < FRESH_ID_BYTES; byte += 1) {
        bytes[keyAt + byte] = id[byte] ?? 0;
        bytes[valueAt + byte] = id[byte] ?? 0;
      }
      this.writeTime(timesAt[index] ?? 0, startMs + (times[index] ?? 0));
    }
    for (const at of this.probesAt) bytes.write(probeName(probe), at, 'latin1');
    bytes.writeBigInt64BE(BigInt(arrivedMs), PLACES.firstTime);
    bytes.writeBigInt64BE(BigInt(arrivedMs), PLACES.lastTime);
    bytes.writeUInt32BE(crc32c(bytes, PLACES.checked, bytes.length), PLACES.crc);
  }

  private writeHeader(): void {
    const { bytes, count } = this;
    bytes.writeInt32BE(bytes.length - LENGTH_ENDS, PLACES.length);
    bytes.writeInt8(MAGIC, PLACES.magic);
    bytes.writeInt32BE(count - 1, PLACES.lastDelta);
    // Producer id, epoch and sequence: none.
    bytes.fill(0xff, PLACES.producer, HEADER_BYTES - 4);
    bytes.writeInt32BE(count, HEADER_BYTES - 4);
  }

  private writeTime(at: number, atMs: number): void {
    const { bytes } = this;
    const minute = Math.floor(atMs / MINUTE_MS);
    const text = this.minutes.get(minute) ?? this.rememberMinute(minute);
    for (let index = 0; index < text.length; index += 1) bytes[at + index] = text[index] ?? 0;
    const rest = atMs - minute * MINUTE_MS;
    const second = Math.floor(rest / 1000);
    const millisecond = rest - second * 1000;
    bytes[at + 17] = ZERO + Math.floor(second / 10);
    bytes[at + 18] = ZERO + (second % 10);
    bytes[at + 20] = ZERO + Math.floor(millisecond / 100);
    bytes[at + 21] = ZERO + (Math.floor(millisecond / 10) % 10);
    bytes[at + 22] = ZERO + (millisecond % 10);
  }

  private rememberMinute(minute: number): Buffer {
    const text = Buffer.from(new Date(minute * MINUTE_MS).toISOString().slice(0, 16));
    if (this.minutes.size > 10) this.minutes.clear();
    this.minutes.set(minute, text);
    return text;
  }
}

function composeProbe(atMs: number): Message {
  const event = { subject: probeName(0), source: '/bench', id: '0'.repeat(FRESH_ID_BYTES) };
  const time = new Date(atMs).toISOString();
  const value = `{"specversion":"1.0","id":"${event.id}","source":"/bench","type":"query","subject":"${event.subject}",${TIME}${time}"}`;
  return { type: 'query', key: identityKey(event), value, timestampMs: atMs };
}

type Encoded = { bytes: Buffer; keyEnd: number; valueAt: number; idBytes: number; timeAt: number };

function encodeRecord({ key, value }: Message, offsetDelta: number): Encoded {
  // Attributes and the timestamp's delta are zero, headers there are none.
  const head = Buffer.concat([
    Buffer.from([0, 0]),
    varint(offsetDelta),
    varint(key.length),
    Buffer.from(key, 'latin1'),
  ]);
  const valueHead = varint(value.length);
  const length = head.length + valueHead.length + value.length + 1;
  const before = varint(length);
  const bytes = Buffer.concat([before, head, valueHead, Buffer.from(value, 'latin1'), Buffer.from([0])]);
  const keyEnd = before.length + head.length;
  const idBytes = key.length - key.lastIndexOf(' ') - 1;
  return { bytes, keyEnd, valueAt: keyEnd + valueHead.length, idBytes, timeAt: value.indexOf(TIME) + TIME.length };
}

function timeOf(value: string): string {
  const at = value.indexOf(TIME) + TIME.length;
  return value.slice(at, value.indexOf('"', at));
}

function findAll(bytes: Buffer, text: string): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) found.push(at);
  return found;
}

/** Zigzag, of numbers that are not negative. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
