// Puts the events of several blocks into the order in which the truth keeps them: minute, namespace, type. The engine
// would sort them anyway, but by comparing texts, and then it reads every column across the whole block; numbers are
// counted into place in a twentieth of that time. The rest of the truth's key it sorts itself, in short runs. Pure.

import { invariant } from '../domain/contracts/errors.ts';
import { Memory } from '../platform/memory.ts';
import { TYPE_NAMES, type EventColumns } from './event-columns.ts';
import { NameList } from './names.ts';

const MINUTE_MS = 60_000;
/** Of an event in the arrays of fixed width, the two between which sorting goes to and fro among them. */
const FIXED_BYTES = 3 * 8 + 4 * 4 + 8 * 4;

/** Columns of all blocks; `order` names their rows as they are to be written. */
export type OrderedEvents = {
  readonly order: Uint32Array;
  /** Sorted. */
  readonly namespaces: readonly string[];
  readonly sources: readonly string[];
  /** Since 1970, sorted. */
  readonly minutes: readonly number[];
  /** Indexes in the lists above and in TYPE_NAMES. */
  readonly namespaceOf: Uint32Array;
  readonly sourceOf: Uint32Array;
  readonly minuteOf: Uint32Array;
  readonly typeOf: Uint32Array;
  readonly blockOf: Uint32Array;
  readonly blocks: readonly EventColumns[];
  readonly times: Float64Array;
  readonly arrivals: Float64Array;
  readonly offsets: Float64Array;
  readonly quantities: Uint32Array;
  /** Ids one after the other, each with its length before it; a row's id ends where the next one begins. */
  readonly ids: Buffer;
  readonly idEnds: Uint32Array;
  /** When all that was made of them is stored: their memory is used again. */
  readonly giveBack: () => void;
};

export function orderEvents(blocks: readonly EventColumns[]): OrderedEvents {
  invariant(!blocks.some((block) => block.isGivenBack), 'I1', 'events are to be stored that were given back');
  const count = blocks.reduce((sum, block) => sum + block.count, 0);
  const idBytes = blocks.reduce((sum, block) => sum + block.idBytes, 0);
  const memory = new Memory(count * FIXED_BYTES + idBytes);
  const times = memory.float64(count);
  const arrivals = memory.float64(count);
  const offsets = memory.float64(count);
  const quantities = memory.uint32(count * 4);
  const typeOf = memory.uint32(count);
  const blockOf = memory.uint32(count);
  const idEnds = memory.uint32(count);
  const namespaceOf = memory.uint32(count);
  const sourceOf = memory.uint32(count);
  const minuteOf = memory.uint32(count);
  const sorted = [memory.uint32(count), memory.uint32(count)] as const;
  const ids = memory.bytes(idBytes);
  let idsBefore = 0;
  let at = 0;
  for (const [index, block] of blocks.entries()) {
    const end = at + block.count;
    typeOf.set(block.typeOf.subarray(0, block.count), at);
    blockOf.fill(index, at, end);
    times.set(block.times.subarray(0, block.count), at);
    arrivals.set(block.arrivals.subarray(0, block.count), at);
    offsets.set(block.offsets.subarray(0, block.count), at);
    quantities.set(block.quantities.subarray(0, block.count * 4), at * 4);
    for (let row = 0; row < block.count; row += 1) idEnds[at + row] = idsBefore + (block.idEnds[row] ?? 0);
    block.ids.copy(ids, idsBefore, 0, block.idBytes);
    idsBefore += block.idBytes;
    at = end;
  }
  const namespaces = renumber(blocks, 'namespaces', namespaceOf);
  const sources = renumber(blocks, 'sources', sourceOf);
  const minutes = numberMinutes(times, minuteOf);
  // The least significant first: each pass keeps the order of the one before among equals.
  const [order, other] = sorted;
  sortByNumber(undefined, typeOf, TYPE_NAMES.length, order);
  sortByNumber(order, namespaceOf, namespaces.length, other);
  sortByNumber(other, minuteOf, minutes.length, order);
  return {
    order,
    namespaces,
    sources,
    minutes,
    namespaceOf,
    sourceOf,
    minuteOf,
    typeOf,
    blockOf,
    blocks,
    times,
    arrivals,
    offsets,
    quantities,
    ids,
    idEnds,
    giveBack: () => memory.giveBack(),
  };
}

/** The names, sorted. Every block numbers them for itself; `nameOf` gets each event's number in this one list. */
function renumber(
  blocks: readonly EventColumns[],
  names: 'namespaces' | 'sources',
  nameOf: Uint32Array,
): readonly string[] {
  const all = new NameList();
  for (const block of blocks) for (const name of block[names].names) all.numberOf(name);
  const ranked = all.names.toSorted((a, b) => (a.text < b.text ? -1 : 1));
  const ranks = new NameList();
  for (const name of ranked) ranks.numberOf(name);
  let at = 0;
  for (const block of blocks) {
    const rankOf = Uint32Array.from(block[names].names, (name) => ranks.numberOf(name));
    const own = names === 'namespaces' ? block.namespaceOf : block.sourceOf;
    for (let row = 0; row < block.count; row += 1) nameOf[at + row] = rankOf[own[row] ?? 0] ?? 0;
    at += block.count;
  }
  return ranked.map(({ text }) => text);
}

/** The minutes, sorted; `minuteOf` gets the number of each event's. */
function numberMinutes(times: Float64Array, minuteOf: Uint32Array): readonly number[] {
  const seen = new Map<number, number>();
  let last = Number.NaN;
  let number = 0;
  for (let row = 0; row < times.length; row += 1) {
    const minute = Math.floor((times[row] ?? 0) / MINUTE_MS);
    if (minute !== last) {
      number = seen.get(minute) ?? seen.size;
      seen.set(minute, number);
      last = minute;
    }
    minuteOf[row] = number;
  }
  const minutes = [...seen.keys()].sort((a, b) => a - b);
  const rankOf = new Uint32Array(minutes.length);
  for (const [rank, minute] of minutes.entries()) rankOf[seen.get(minute) ?? 0] = rank;
  for (let row = 0; row < minuteOf.length; row += 1) minuteOf[row] = rankOf[minuteOf[row] ?? 0] ?? 0;
  return minutes;
}

/**
 * Writes rows by ascending number below `limit` to `sorted`; those of one number stay as they stood. Without `rows`: all, one
 * by one.
 */
function sortByNumber(rows: Uint32Array | undefined, numberOf: Uint32Array, limit: number, sorted: Uint32Array): void {
  const next = new Uint32Array(limit + 1);
  for (let row = 0; row < numberOf.length; row += 1) {
    const after = (numberOf[row] ?? 0) + 1;
    next[after] = (next[after] ?? 0) + 1;
  }
  for (let number = 1; number <= limit; number += 1) next[number] = (next[number] ?? 0) + (next[number - 1] ?? 0);
  for (let index = 0; index < numberOf.length; index += 1) {
    const row = rows === undefined ? index : (rows[index] ?? 0);
    const number = numberOf[row] ?? 0;
    const place = next[number] ?? 0;
    sorted[place] = row;
    next[number] = place + 1;
  }
}
