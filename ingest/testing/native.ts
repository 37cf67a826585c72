// Reads blocks of the engine's columnar format back, as an independent check of how they are written.

import type { NativeRows } from '../native.ts';

const SCALE_DIGITS = 12;

/** One object per row, every column as text. Throws when bytes are left over or missing. */
export function readNative({ count, parts }: NativeRows): Record<string, string>[] {
  const bytes = Buffer.concat(parts);
  let at = 0;
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error('a column ends in the middle');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const varint = (): number => {
    const low = take(1).readUInt8();
    return low < 0x80 ? low : (low & 0x7f) + 0x80 * varint();
  };
  const text = () => take(varint()).toString('utf8');
  const int64 = () => String(take(8).readBigInt64LE());
  const int16 = () => String(take(2).readUInt16LE());
  const decimal = () => {
    const low = take(8).readBigUInt64LE();
    const digits = ((take(8).readBigInt64LE() << 64n) | low).toString().padStart(SCALE_DIGITS + 1, '0');
    return `${digits.slice(0, -SCALE_DIGITS)}.${digits.slice(-SCALE_DIGITS)}`;
  };
  const valueOf: Record<string, () => string> = {
    String: text,
    UInt16: int16,
    UInt64: int64,
    "DateTime64(3, 'UTC')": int64,
    "DateTime('UTC')": () => String(take(4).readUInt32LE()),
    'Decimal(38, 12)': decimal,
  };
  const dictionary = (rows: number): string[] => {
    if (int64() !== '1') throw new Error('an unknown version of keys');
    const width = 2 ** (Number(int64()) & 0xff);
    const keys = Array.from({ length: Number(int64()) }, text);
    if (int64() !== String(rows)) throw new Error('as many indexes as rows');
    return Array.from({ length: rows }, () => keys[take(width).readUIntLE(0, width)] ?? 'no such key');
  };
  if (bytes.length === 0) return [];
  const columns = varint();
  const rows = Array.from({ length: varint() }, (): Record<string, string> => ({}));
  if (rows.length !== count) throw new Error(`${rows.length} rows, counted ${count}`);
  for (let column = 0; column < columns; column += 1) {
    const name = text();
    const type = text();
    const read = valueOf[type];
    const values = type === 'LowCardinality(String)' ? dictionary(rows.length) : rows.map(() => read?.() ?? type);
    for (const [index, row] of rows.entries()) row[name] = values[index] ?? '';
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes are left over`);
  return rows;
}
