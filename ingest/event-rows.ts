// Accepted events as rows of the truth in RowBinary, written byte by byte as they come: the engine takes them in half
// the time of text, since nothing is left to parse, and no string lives longer than its row.
// Same events, same bytes.

import type { UsageEvent } from '../domain/event.ts';
import type { LoggedRecord } from '../platform/kafka-record.ts';
import type { PlainLine } from './plain-line.ts';

/** The order in which a row is written. */
export const EVENT_COLUMNS = [
  'namespace',
  'type',
  'time',
  'source',
  'id',
  'quantity',
  'voids',
  'generation',
  'kafka_partition',
  'kafka_offset',
  'arrived_at',
] as const;

export type Rows = { readonly count: number; readonly bytes: Buffer };

/** Where a row's record stands in the log. */
export type Place = {
  readonly generation: number;
  readonly partition: number;
};

/** What rows mostly take. */
const ROW_BYTES = 160;
/** More than any row: five texts of at most 256 bytes, their lengths, and 60 bytes of numbers. */
const ROW_BYTES_MAX = 2 * 1024;
const TWO_32 = 2 ** 32;
/** quantity is Decimal(38, 12). */
const SCALE = 10 ** 12;
const SCALE_DIGITS = 12;
/** Up to here a scaled quantity is exact in a number. */
const SMALL_QUANTITY_MAX = 9_007;

export class EventRows {
  private readonly place: Place;
  private bytes: Buffer;
  private length = 0;
  private count = 0;

  constructor(place: Place, expectedRows: number) {
    this.place = place;
    this.bytes = Buffer.allocUnsafe(expectedRows * ROW_BYTES + ROW_BYTES_MAX);
  }

  addLine(line: PlainLine, record: LoggedRecord): void {
    this.makeRoom();
    this.addBytes(line.subjectBytes, 0, line.subjectBytes.length);
    this.addBytes(line.typeBytes, 0, line.typeBytes.length);
    this.addInt64(line.atMs);
    this.addBytes(line.sourceBytes, 0, line.sourceBytes.length);
    this.addBytes(record.bytes, line.idAt, line.idEnd);
    if (line.quantity <= SMALL_QUANTITY_MAX) this.addSmallDecimal(line.quantity);
    else this.addDecimal(BigInt(line.quantity) * BigInt(SCALE));
    this.addLength(0);
    this.addPlace(record.at, record.timestampMs);
  }

  addEvent(event: UsageEvent, offset: number, arrivedMs: number): void {
    this.makeRoom();
    this.addText(event.subject);
    this.addText(event.type);
    this.addInt64(event.atMs);
    this.addText(event.source);
    this.addText(event.id);
    this.addDecimal(scaleDecimal(event.quantity));
    this.addText(event.voids);
    this.addPlace(offset, arrivedMs);
  }

  finish(): Rows {
    return { count: this.count, bytes: this.bytes.subarray(0, this.length) };
  }

  private addPlace(offset: number, arrivedMs: number): void {
    this.addInt16(this.place.generation);
    this.addInt16(this.place.partition);
    this.addInt64(offset);
    this.addInt64(arrivedMs);
    this.count += 1;
  }

  private addText(text: string): void {
    const encoded = Buffer.from(text, 'utf8');
    this.addBytes(encoded, 0, encoded.length);
  }

  private addBytes(from: Buffer, start: number, end: number): void {
    this.addLength(end - start);
    const { bytes } = this;
    let at = this.length;
    // Faster than a call out of JavaScript for the few bytes of a field.
    for (let index = start; index < end; index += 1) {
      bytes[at] = from[index] ?? 0;
      at += 1;
    }
    this.length = at;
  }

  /** Unsigned LEB128; no field has more than 2^14 bytes. */
  private addLength(length: number): void {
    if (length < 0x80) {
      this.bytes[this.length] = length;
      this.length += 1;
    } else {
      this.bytes[this.length] = (length & 0x7f) | 0x80;
      this.bytes[this.length + 1] = length >>> 7;
      this.length += 2;
    }
  }

  private addInt16(value: number): void {
    this.bytes[this.length] = value;
    this.bytes[this.length + 1] = value >>> 8;
    this.length += 2;
  }

  private addInt32(value: number): void {
    const { bytes, length } = this;
    bytes[length] = value;
    bytes[length + 1] = value >>> 8;
    bytes[length + 2] = value >>> 16;
    bytes[length + 3] = value >>> 24;
    this.length = length + 4;
  }

  /** Whole and not negative, below 2^53. */
  private addInt64(value: number): void {
    this.addInt32((value % TWO_32) | 0);
    this.addInt32((value / TWO_32) | 0);
  }

  private addSmallDecimal(quantity: number): void {
    this.addInt64(quantity * SCALE);
    this.addInt64(0);
  }

  private addDecimal(scaled: bigint): void {
    this.bytes.writeBigUInt64LE(scaled & 0xffff_ffff_ffff_ffffn, this.length);
    this.bytes.writeBigUInt64LE(scaled >> 64n, this.length + 8);
    this.length += 16;
  }

  private makeRoom(): void {
    if (this.length + ROW_BYTES_MAX <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(this.bytes.length * 2);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}

function scaleDecimal(quantity: string): bigint {
  const [whole = '0', fraction = ''] = quantity.split('.');
  return BigInt(whole + fraction.padEnd(SCALE_DIGITS, '0'));
}
