// Native, the engine's columnar format: a header, then each column's name, type and values, little-endian as typed arrays
// are on every machine this runs on. The engine takes such a block as it is; there is nothing left to parse. Pure.

export type Column = {
  readonly name: string;
  /** As in the table, or a type the engine converts into it. */
  readonly type: string;
  readonly parts: readonly Uint8Array[];
};

/** One block of `count` rows, in pieces to be sent one after the other. */
export type NativeRows = { readonly count: number; readonly parts: readonly Buffer[] };

/** Of LowCardinality: version 1; the block brings its own keys (bits 9 and 10); below them the width of the indexes. */
const KEYS_VERSION = 1n;
const OWN_KEYS = 0x600n;
const TWO_32 = 2 ** 32;

export function toNative(count: number, columns: readonly Column[]): NativeRows {
  const head = Buffer.concat([toVarint(columns.length), toVarint(count)]);
  const parts = columns.flatMap(({ name, type, parts: values }) => [
    Buffer.concat([toText(name), toText(type)]),
    ...values.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
  ]);
  return { count, parts: count === 0 ? [] : [head, ...parts] };
}

/** Texts of which a block has few: each once, then a number per row. `keys` must not be empty. */
export function dictionaryColumn(name: string, keys: readonly string[], indexes: Uint32Array): Column {
  const width = keys.length <= 0x100 ? 0n : keys.length <= 0x1_0000 ? 1n : 2n;
  const narrowed = width === 0n ? new Uint8Array(indexes) : width === 1n ? new Uint16Array(indexes) : indexes;
  return {
    name,
    type: 'LowCardinality(String)',
    parts: [
      new Uint8Array(BigUint64Array.of(KEYS_VERSION, OWN_KEYS | width, BigInt(keys.length)).buffer),
      toTexts(keys),
      new Uint8Array(BigUint64Array.of(BigInt(indexes.length)).buffer),
      bytesOf(narrowed),
    ],
  };
}

/** Whole numbers, not negative, below 2^53, of the given rows as 64-bit ones. */
export function int64Column(name: string, type: string, { values, rows }: PickedNumbers): Column {
  const halves = new Uint32Array(rows.length * 2);
  for (let index = 0; index < rows.length; index += 1) {
    const value = values[rows[index] ?? 0] ?? 0;
    const high = Math.floor(value / TWO_32);
    halves[index * 2] = value - high * TWO_32;
    halves[index * 2 + 1] = high;
  }
  return { name, type, parts: [bytesOf(halves)] };
}

export type PickedNumbers = { readonly values: Float64Array; readonly rows: Uint32Array };

export function bytesOf(values: Uint8Array | Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Texts of at most 2^14 bytes, each with its length before it. */
function toTexts(texts: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + text.length * 3 + 2, 0));
  let at = 0;
  for (const text of texts) {
    const length = Buffer.byteLength(text);
    if (length >= 0x80) at = bytes.writeUInt8((length & 0x7f) | 0x80, at);
    at = bytes.writeUInt8(length < 0x80 ? length : length >>> 7, at);
    at += bytes.write(text, at, 'utf8');
  }
  return bytes.subarray(0, at);
}

/** A text with its length before it. */
export function toText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([toVarint(bytes.length), bytes]);
}

/** Unsigned LEB128. */
function toVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
