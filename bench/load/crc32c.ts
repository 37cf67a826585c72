// CRC-32C (Castagnoli), which guards every record batch of Kafka: eight bytes a step, since it is computed over all that
// a sender sends. Pure.

const POLYNOMIAL = 0x82f6_3b78;
const STEP = 8;

/** Table n holds what a byte does that has n bytes behind it. */
const TABLES = createTables();

function createTables(): Uint32Array[] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
  const tables = [first];
  while (tables.length < STEP) {
    const before = tables.at(-1) ?? first;
    tables.push(before.map((crc) => (crc >>> 8) ^ (first[crc & 0xff] ?? 0)));
  }
  return tables;
}

const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES as [
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
  Uint32Array,
];

/** Of the bytes in [start, end). */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0xffff_ffff;
  let at = start;
  for (; at + STEP <= end; at += STEP) {
    crc =
      (T7[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^
      (T6[((crc >>> 8) ^ (bytes[at + 1] ?? 0)) & 0xff] ?? 0) ^
      (T5[((crc >>> 16) ^ (bytes[at + 2] ?? 0)) & 0xff] ?? 0) ^
      (T4[(crc >>> 24) ^ (bytes[at + 3] ?? 0)] ?? 0) ^
      (T3[bytes[at + 4] ?? 0] ?? 0) ^
      (T2[bytes[at + 5] ?? 0] ?? 0) ^
      (T1[bytes[at + 6] ?? 0] ?? 0) ^
      (T0[bytes[at + 7] ?? 0] ?? 0);
  }
  for (; at < end; at += 1) crc = (T0[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}
