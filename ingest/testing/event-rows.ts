// Reads rows of the truth back from RowBinary, as an independent check of how they are written.

import type { Rows } from '../event-rows.ts';

const SCALE_DIGITS = 12;

/** One object per row, every column as text. Throws when bytes are left over or missing. */
export function readEventRows(rows: Rows | undefined): Record<string, string>[] {
  const bytes = rows?.bytes ?? Buffer.alloc(0);
  const read: Record<string, string>[] = [];
  let at = 0;
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error('a row ends in the middle');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const text = () => {
    const low = take(1).readUInt8();
    const length = low < 0x80 ? low : (low & 0x7f) + (take(1).readUInt8() << 7);
    return take(length).toString('utf8');
  };
  const int64 = () => String(take(8).readBigInt64LE());
  const decimal = () => {
    const low = take(8).readBigUInt64LE();
    const digits = ((take(8).readBigInt64LE() << 64n) | low).toString().padStart(SCALE_DIGITS + 1, '0');
    return `${digits.slice(0, -SCALE_DIGITS)}.${digits.slice(-SCALE_DIGITS)}`;
  };
  const int16 = () => String(take(2).readUInt16LE());
  while (at < bytes.length) {
    read.push({
      namespace: text(),
      type: text(),
      time: int64(),
      source: text(),
      id: text(),
      quantity: decimal(),
      voids: text(),
      generation: int16(),
      kafka_partition: int16(),
      kafka_offset: int64(),
      arrived_at: int64(),
    });
  }
  if (read.length !== (rows?.count ?? 0)) throw new Error(`${read.length} rows, counted ${rows?.count ?? 0}`);
  return read;
}
