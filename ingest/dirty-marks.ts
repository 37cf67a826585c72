// Which minutes blocks stored together touched, one mark per namespace and minute however many blocks touched it.
// All marks stand under the name of the first block: every row of the group is durable before its marks, and its block
// records appear all at once, so whoever works off the first block recomputes what any of them touched, and the others
// have nothing left to do.

import type { Block, TouchedMinutes } from './block.ts';
import type { Rows } from './event-rows.ts';

/** The order in which a mark is written. */
export const MARK_COLUMNS = ['block', 'namespace', 'minute'] as const;

const NAMESPACE_BYTES_MAX = 127;

/** Marks in RowBinary. */
export function markTouched(blocks: readonly Pick<Block, 'block' | 'touched'>[]): Rows {
  const [first] = blocks;
  if (first === undefined) return { count: 0, bytes: Buffer.alloc(0) };
  const touched = unite(blocks.map((block) => block.touched));
  const name = toField(first.block);
  const counts = [...touched.values()].map((namespaces) => namespaces.size);
  const count = counts.reduce((sum, size) => sum + size, 0);
  const bytes = Buffer.allocUnsafe(count * (name.length + NAMESPACE_BYTES_MAX + 5));
  let at = 0;
  for (const [minute, namespaces] of touched) {
    for (const namespace of namespaces) {
      at += name.copy(bytes, at);
      // A namespace is ASCII and at most two labels and a dot, so its length takes one byte.
      bytes[at] = namespace.length;
      at += 1 + bytes.write(namespace, at + 1, 'latin1');
      at = bytes.writeUInt32LE(minute * 60, at);
    }
  }
  return { count, bytes: bytes.subarray(0, at) };
}

function unite(all: readonly TouchedMinutes[]): TouchedMinutes {
  const united = new Map<number, Set<string>>();
  for (const [minute, namespaces] of all.flatMap((touched) => [...touched])) {
    const known = united.get(minute);
    if (known === undefined) united.set(minute, new Set(namespaces));
    else for (const namespace of namespaces) known.add(namespace);
  }
  return united;
}

/** A text with its length before it; a block's name is shorter than 2^14 bytes. */
function toField(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length = bytes.length < 0x80 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >>> 7];
  return Buffer.concat([Buffer.from(length), bytes]);
}
