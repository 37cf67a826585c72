// Ordered events as rows of the truth, a month at a time, and the minutes they touched. Same events, same bytes.

import { periodOf } from '../domain/period.ts';
import { TYPE_NAMES, type EventColumns } from './event-columns.ts';
import type { OrderedEvents } from './event-order.ts';
import { bytesOf, dictionaryColumn, int64Column, toNative, toText, type Column, type NativeRows } from './native.ts';

export const MARK_COLUMNS = ['block', 'namespace', 'minute'] as const;

const MINUTE_MS = 60_000;
const INSTANT = "DateTime64(3, 'UTC')";

/** Rows of the truth by month (YYYY-MM). */
export function toTruth(events: OrderedEvents): Map<string, NativeRows> {
  return new Map([...monthsOf(events)].map(([month, rows]) => [month, toRows(events, rows)]));
}

/**
 * One mark per namespace and minute, however many blocks touched it, all under the name of one block: every row of the
 * group is durable before its marks, and its block records appear all at once, so whoever works off that block recomputes
 * what any of them touched, and the others have nothing left to do.
 */
export function toMarks(
  { order, minuteOf, namespaceOf, minutes, namespaces }: OrderedEvents,
  block: string,
): NativeRows {
  const namespaceOfMark = new Uint32Array(order.length);
  const seconds = new Uint32Array(order.length);
  let count = 0;
  let before = -1;
  for (const row of order) {
    const isNew = before < 0 || minuteOf[row] !== minuteOf[before] || namespaceOf[row] !== namespaceOf[before];
    before = row;
    if (!isNew) continue;
    namespaceOfMark[count] = namespaceOf[row] ?? 0;
    seconds[count] = (minutes[minuteOf[row] ?? 0] ?? 0) * 60;
    count += 1;
  }
  return toNative(count, [
    dictionaryColumn('block', [block], new Uint32Array(count)),
    dictionaryColumn('namespace', namespaces, namespaceOfMark.subarray(0, count)),
    { name: 'minute', type: "DateTime('UTC')", parts: [bytesOf(seconds.subarray(0, count))] },
  ]);
}

/** The rows of each month; in order of minutes they stand together. */
function monthsOf({ order, minuteOf, minutes }: OrderedEvents): Map<string, Uint32Array> {
  const months = new Map<string, Uint32Array>();
  for (let start = 0; start < order.length;) {
    const { key, endAtMs } = periodOf((minutes[minuteOf[order[start] ?? 0] ?? 0] ?? 0) * MINUTE_MS);
    let end = start;
    while (end < order.length && (minutes[minuteOf[order[end] ?? 0] ?? 0] ?? 0) * MINUTE_MS < endAtMs) end += 1;
    months.set(key, order.subarray(start, end));
    start = end;
  }
  return months;
}

function toRows(events: OrderedEvents, rows: Uint32Array): NativeRows {
  const { namespaceOf, typeOf, sourceOf, times, quantities, offsets, arrivals, blocks } = events;
  const blockOf = pick(events.blockOf, rows);
  const ofBlock = (value: (block: EventColumns) => number) => {
    const values = blocks.map(value);
    const picked = new Uint16Array(blockOf.length);
    for (let index = 0; index < blockOf.length; index += 1) picked[index] = values[blockOf[index] ?? 0] ?? 0;
    return bytesOf(picked);
  };
  return toNative(rows.length, [
    dictionaryColumn('namespace', events.namespaces, pick(namespaceOf, rows)),
    dictionaryColumn('type', TYPE_NAMES, pick(typeOf, rows)),
    int64Column('time', INSTANT, { values: times, rows }),
    dictionaryColumn('source', events.sources, pick(sourceOf, rows)),
    { name: 'id', type: 'String', parts: [pickIds(events, rows)] },
    { name: 'quantity', type: 'Decimal(38, 12)', parts: [pickQuantities(quantities, rows)] },
    pickVoids(events, rows, blockOf),
    { name: 'generation', type: 'UInt16', parts: [ofBlock(({ place }) => place.generation)] },
    { name: 'kafka_partition', type: 'UInt16', parts: [ofBlock(({ place }) => place.partition)] },
    int64Column('kafka_offset', 'UInt64', { values: offsets, rows }),
    int64Column('arrived_at', INSTANT, { values: arrivals, rows }),
  ]);
}

function pick(values: Uint32Array, rows: Uint32Array): Uint32Array {
  const picked = new Uint32Array(rows.length);
  for (let index = 0; index < rows.length; index += 1) picked[index] = values[rows[index] ?? 0] ?? 0;
  return picked;
}

function pickQuantities(words: Uint32Array, rows: Uint32Array): Uint8Array {
  const picked = new Uint32Array(rows.length * 4);
  for (let index = 0; index < rows.length; index += 1) {
    const from = (rows[index] ?? 0) * 4;
    for (let word = 0; word < 4; word += 1) picked[index * 4 + word] = words[from + word] ?? 0;
  }
  return bytesOf(picked);
}

function pickIds({ ids, idEnds }: OrderedEvents, rows: Uint32Array): Uint8Array {
  const picked = Buffer.allocUnsafe(ids.length);
  let at = 0;
  for (let index = 0; index < rows.length; index += 1) {
    const row = rows[index] ?? 0;
    const end = idEnds[row] ?? 0;
    for (let byte = row === 0 ? 0 : (idEnds[row - 1] ?? 0); byte < end; byte += 1) {
      picked[at] = ids[byte] ?? 0;
      at += 1;
    }
  }
  return picked.subarray(0, at);
}

function pickVoids({ blocks }: OrderedEvents, rows: Uint32Array, blockOf: Uint32Array): Column {
  const column = (parts: readonly Uint8Array[]): Column => ({ name: 'voids', type: 'String', parts });
  // An empty text is one zero byte.
  if (blocks.every(({ voids }) => voids.size === 0)) return column([new Uint8Array(rows.length)]);
  let start = 0;
  const starts = blocks.map(({ count }) => (start += count) - count);
  const texts = Array.from(rows, (row, index) => {
    const block = blockOf[index] ?? 0;
    return toText(blocks[block]?.voids.get(row - (starts[block] ?? 0)) ?? '');
  });
  return column([Buffer.concat(texts)]);
}
