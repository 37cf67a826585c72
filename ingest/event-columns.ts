// Accepted events of a block, column by column: numbers in typed arrays, texts that repeat as numbers of a list. Nothing
// here lives longer than the block, whose memory is used again, and no object is made per event.

import type { UsageEvent } from '../domain/event.ts';
import { EVENT_TYPES, VOID_TYPE } from '../domain/meter.ts';
import type { LoggedRecord } from '../platform/kafka-record.ts';
import { Memory } from '../platform/memory.ts';
import { NameList, nameOf } from './names.ts';
import type { PlainLine } from './plain-line.ts';

/** Where a block's records stand in the log. */
export type Place = {
  readonly generation: number;
  readonly partition: number;
};

/** In the order of their texts, so that sorting by number is sorting by text. */
export const TYPE_NAMES: readonly string[] = [...Object.keys(EVENT_TYPES), VOID_TYPE].sort();

const TYPE_NUMBERS = new Map(TYPE_NAMES.map((name, number) => [name, number]));
/** Of an event in the arrays of fixed width. */
const FIXED_BYTES = 3 * 8 + 4 * 4 + 3 * 4 + 1;
/** What ids mostly take, their length included. */
const ID_BYTES = 24;
/** More than any id takes with its length. */
const ID_BYTES_MAX = 260;
const TWO_32 = 2 ** 32;
/** quantity is Decimal(38, 12). */
const SCALE = 10 ** 12;
const SCALE_DIGITS = 12;
/** Up to here a scaled quantity is exact in a number. */
const SMALL_QUANTITY_MAX = 9_007;

export class EventColumns {
  readonly place: Place;
  readonly namespaces = new NameList();
  readonly sources = new NameList();
  readonly namespaceOf: Uint32Array;
  readonly sourceOf: Uint32Array;
  /** Index in TYPE_NAMES. */
  readonly typeOf: Uint8Array;
  /** Epoch milliseconds. */
  readonly times: Float64Array;
  readonly arrivals: Float64Array;
  readonly offsets: Float64Array;
  /** Four words an event, the lowest first. */
  readonly quantities: Uint32Array;
  /** Ids one after the other, each with its length before it; an event's id ends where the next one begins. */
  ids: Buffer;
  readonly idEnds: Uint32Array;
  /** By event: few take something back. */
  readonly voids = new Map<number, string>();
  count = 0;
  private readonly memory: Memory;
  private idMemory: Memory;

  constructor(place: Place, countMax: number) {
    this.place = place;
    const memory = new Memory(countMax * FIXED_BYTES);
    this.times = memory.float64(countMax);
    this.arrivals = memory.float64(countMax);
    this.offsets = memory.float64(countMax);
    this.quantities = memory.uint32(countMax * 4);
    this.namespaceOf = memory.uint32(countMax);
    this.sourceOf = memory.uint32(countMax);
    this.idEnds = memory.uint32(countMax);
    this.typeOf = memory.uint8(countMax);
    this.memory = memory;
    const idBytes = countMax * ID_BYTES + ID_BYTES_MAX;
    this.idMemory = new Memory(idBytes);
    this.ids = this.idMemory.bytes(idBytes);
  }

  /** Of all ids, with their lengths. */
  get idBytes(): number {
    return this.idEnds[this.count - 1] ?? 0;
  }

  get isGivenBack(): boolean {
    return this.memory.isGivenBack;
  }

  /** Once the events are stored. Nothing but the names may be looked at afterwards. */
  giveBack(): void {
    this.memory.giveBack();
    this.idMemory.giveBack();
  }

  addLine(line: PlainLine, record: LoggedRecord): void {
    const { count } = this;
    this.namespaceOf[count] = this.namespaces.numberOf(line.namespace);
    this.sourceOf[count] = this.sources.numberOf(line.source);
    this.typeOf[count] = line.typeNumber;
    this.times[count] = line.atMs;
    this.arrivals[count] = record.timestampMs;
    this.offsets[count] = record.at;
    if (line.quantity <= SMALL_QUANTITY_MAX) this.setSmall(count, line.quantity);
    else this.setScaled(count, BigInt(line.quantity) * BigInt(SCALE));
    this.addId(record.bytes, line.idAt, line.idEnd);
    this.count = count + 1;
  }

  addEvent(event: UsageEvent, offset: number, arrivedMs: number): void {
    const { count } = this;
    this.namespaceOf[count] = this.namespaces.numberOf(nameOf(event.subject));
    this.sourceOf[count] = this.sources.numberOf(nameOf(event.source));
    this.typeOf[count] = TYPE_NUMBERS.get(event.type) ?? Number.NaN;
    this.times[count] = event.atMs;
    this.arrivals[count] = arrivedMs;
    this.offsets[count] = offset;
    this.setScaled(count, scaleDecimal(event.quantity));
    const id = Buffer.from(event.id, 'utf8');
    this.addId(id, 0, id.length);
    if (event.voids !== '') this.voids.set(count, event.voids);
    this.count = count + 1;
  }

  private addId(from: Buffer, start: number, end: number): void {
    let at = this.idEnds[this.count - 1] ?? 0;
    if (at + ID_BYTES_MAX > this.ids.length) {
      const [smaller, length] = [this.idMemory, this.ids.length * 2];
      this.idMemory = new Memory(length);
      const larger = this.idMemory.bytes(length);
      this.ids.copy(larger, 0, 0, at);
      this.ids = larger;
      smaller.giveBack();
    }
    const { ids } = this;
    const length = end - start;
    // Unsigned LEB128, of at most 2^14.
    if (length >= 0x80) {
      ids[at] = length | 0x80;
      at += 1;
    }
    ids[at] = length < 0x80 ? length : length >>> 7;
    at += 1;
    // Faster than a call out of JavaScript for so few bytes.
    for (let index = start; index < end; index += 1) {
      ids[at] = from[index] ?? 0;
      at += 1;
    }
    this.idEnds[this.count] = at;
  }

  private setSmall(row: number, quantity: number): void {
    const scaled = quantity * SCALE;
    const high = Math.floor(scaled / TWO_32);
    this.quantities[row * 4] = scaled - high * TWO_32;
    this.quantities[row * 4 + 1] = high;
    this.quantities[row * 4 + 2] = 0;
    this.quantities[row * 4 + 3] = 0;
  }

  private setScaled(row: number, scaled: bigint): void {
    for (let word = 0; word < 4; word += 1) {
      this.quantities[row * 4 + word] = Number((scaled >> BigInt(word * 32)) & 0xffff_ffffn);
    }
  }
}

function scaleDecimal(quantity: string): bigint {
  const [whole = '0', fraction = ''] = quantity.split('.');
  return BigInt(whole + fraction.padEnd(SCALE_DIGITS, '0'));
}
