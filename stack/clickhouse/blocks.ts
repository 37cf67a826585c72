/** Cuts a stream of bytes into blocks that end at line ends. Pure. */

const LINE_END = 0x0a;

/**
 * Blocks of about `blockBytes` (a longer row makes a longer block), each ending at a line end; the last one is what remains.
 * Throws what the source throws, without having given the unfinished last row.
 */
export async function* cutAtLines(source: AsyncIterable<Buffer>, blockBytes: number): AsyncGenerator<Buffer> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of source) {
    let begin = 0;
    while (pendingBytes + chunk.length - begin >= blockBytes) {
      const reach = Math.max(begin, begin + blockBytes - pendingBytes - 1);
      const behind = chunk.lastIndexOf(LINE_END, reach);
      const end = behind >= begin ? behind : chunk.indexOf(LINE_END, reach);
      if (end < 0) break;
      yield Buffer.concat([...pending, chunk.subarray(begin, end + 1)]);
      pending = [];
      pendingBytes = 0;
      begin = end + 1;
    }
    if (begin < chunk.length) pending.push(chunk.subarray(begin));
    pendingBytes += chunk.length - begin;
  }
  if (pendingBytes > 0) yield Buffer.concat(pending);
}

/** The engine takes an empty line for the end of inline data and would run what follows as a statement. */
export function isInlineSafe(data: Buffer): boolean {
  return data.length > 0 && data[0] !== LINE_END && !data.includes('\n\n');
}
