// A record of the log as a place in fetched bytes: nothing is copied or turned into text before somebody asks.

import { invariant } from '../domain/contracts/errors.ts';
import { holdResponse, letGoOfResponse } from './kafka-frames.ts';

export type BatchContext = {
  readonly firstOffset: number;
  /** Of the batch as it was written: where records were compacted away, reading goes on behind them. */
  readonly lastOffset: number;
  readonly firstTimestampMs: number;
  /** Of topics whose records are stamped by the broker: the same for all records of a batch. */
  readonly logAppendMs: number | undefined;
  readonly producerId: string;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
};

const HEADERS_MAX = 16;

/**
 * Offsets and timestamps are numbers: both stay far below 2^53. Only small integers are kept per record, since a fetch
 * holds a hundred thousand of them.
 */
export class LoggedRecord {
  readonly bytes: Buffer;
  readonly batchContext: BatchContext;
  /** Start and end of key and value in `bytes`; a start of -1 means null. */
  readonly keyAt: number;
  readonly keyEnd: number;
  readonly valueAt: number;
  readonly valueEnd: number;
  private readonly timestampDelta: number;
  private readonly offsetDelta: number;

  /** Reads the record that begins at `start` (record format v2: varint lengths, deltas to the batch's firsts). */
  constructor(bytes: Buffer, start: number, batchContext: BatchContext) {
    this.bytes = bytes;
    this.batchContext = batchContext;
    place = start;
    const length = readVarInt(bytes);
    const end = place + length;
    if (end > bytes.length) throw new RangeError(`a record ends ${end - bytes.length} bytes behind its batch`);
    // A byte of attributes comes first, unused by the format so far.
    place += 1;
    this.timestampDelta = readVarInt(bytes);
    this.offsetDelta = readVarInt(bytes);
    const keyLength = readVarInt(bytes);
    this.keyAt = keyLength < 0 ? -1 : place;
    if (keyLength > 0) place += keyLength;
    this.keyEnd = keyLength < 0 ? -1 : place;
    const valueLength = readVarInt(bytes);
    this.valueAt = valueLength < 0 ? -1 : place;
    this.valueEnd = valueLength < 0 ? -1 : place + valueLength;
    place = end;
  }

  /** The record's offset. */
  get at(): number {
    return this.batchContext.firstOffset + this.offsetDelta;
  }

  get timestampMs(): number {
    const { logAppendMs, firstTimestampMs } = this.batchContext;
    return logAppendMs ?? firstTimestampMs + this.timestampDelta;
  }

  get key(): Buffer | null {
    return this.keyAt < 0 ? null : this.bytes.subarray(this.keyAt, this.keyEnd);
  }

  get value(): Buffer | null {
    return this.valueAt < 0 ? null : this.bytes.subarray(this.valueAt, this.valueEnd);
  }

  /**
   * The value of a header, of the first few, by its ASCII name; undefined where there is none, or the record has no value.
   * `likely` is a value that probably comes again: no new text is made of it.
   */
  header(name: string, likely?: string): string | undefined {
    if (this.valueAt < 0) return undefined;
    const { bytes } = this;
    // Headers follow the value: their number, then of each the lengths and bytes of name and value.
    place = this.valueEnd;
    for (let left = Math.min(readVarInt(bytes), HEADERS_MAX); left > 0; left -= 1) {
      const nameLength = readVarInt(bytes);
      const found = isAscii(bytes, nameLength, name);
      place += nameLength;
      const length = readVarInt(bytes);
      if (found && likely !== undefined && isAscii(bytes, length, likely)) return likely;
      if (found) return length < 0 ? undefined : bytes.toString('utf8', place, place + length);
      place += Math.max(0, length);
    }
    return undefined;
  }

  get offset(): string {
    return String(this.at);
  }

  get timestamp(): string {
    return String(this.timestampMs);
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch;
  }
}

/**
 * Records as somebody goes through them, again each time: nothing keeps them. A fetch holds a hundred thousand, and
 * collecting so many objects that have outlived their youth took a quarter of the sink's CPU time.
 */
export class LoggedRecords implements Iterable<LoggedRecord> {
  readonly length: number;
  private batches: readonly RecordBatch[] | undefined;

  constructor(batches: readonly RecordBatch[]) {
    this.batches = batches;
    this.length = batches.reduce((sum, { count }) => sum + count, 0);
    for (const { bytes } of batches) holdResponse(bytes);
  }

  /** Nobody reads these records any more, and the memory they lie in may be used again. */
  letGo(): void {
    for (const { bytes } of this.batches ?? []) letGoOfResponse(bytes);
    this.batches = undefined;
  }

  [Symbol.iterator](): Iterator<LoggedRecord> {
    invariant(this.batches !== undefined, 'I1', 'records are to be read that were let go of');
    return new RecordReader(this.batches);
  }
}

/** A batch of the log: `count` records one after the other in `bytes`. */
export class RecordBatch {
  readonly bytes: Buffer;
  readonly count: number;
  readonly context: BatchContext;

  constructor(bytes: Buffer, count: number, context: BatchContext) {
    this.bytes = bytes;
    this.count = count;
    this.context = context;
  }
}

class RecordReader implements Iterator<LoggedRecord> {
  private readonly batches: readonly RecordBatch[];
  private number = -1;
  private batch: RecordBatch | undefined;
  private left = 0;
  private at = 0;

  constructor(batches: readonly RecordBatch[]) {
    this.batches = batches;
  }

  next(): IteratorResult<LoggedRecord> {
    while (this.left === 0) {
      this.number += 1;
      this.batch = this.batches[this.number];
      if (this.batch === undefined) return { done: true, value: undefined };
      this.left = this.batch.count;
      this.at = 0;
    }
    const { batch } = this;
    if (batch === undefined) return { done: true, value: undefined };
    const value = new LoggedRecord(batch.bytes, this.at, batch.context);
    this.at = place;
    this.left -= 1;
    return { done: false, value };
  }
}

/** Where `readVarInt` reads next; returning two numbers would cost an object each. */
let place = 0;

/** Are the next `length` bytes this text? Nothing is made of them. */
function isAscii(bytes: Buffer, length: number, text: string): boolean {
  if (length !== text.length) return false;
  for (let at = 0; at < length; at += 1) {
    if (bytes[place + at] !== text.charCodeAt(at)) return false;
  }
  return true;
}

/** Zigzag varint; exact up to 53 bits. */
function readVarInt(bytes: Buffer): number {
  let byte = bytes[place] ?? 0;
  place += 1;
  let value = byte & 0x7f;
  for (let factor = 128; byte >= 0x80; factor *= 128) {
    byte = bytes[place] ?? 0;
    place += 1;
    value += (byte & 0x7f) * factor;
  }
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
