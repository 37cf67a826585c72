// The generator's JSON lines as tab-separated rows, for the contender that has its rows parsed beforehand.

const LINE_END = 0x0a;

/** Rows of subject, type, epoch ms, source, id, quantity. Knows the generator's lines only. */
export function toTsv(lines: Buffer): Buffer {
  const rows = Buffer.allocUnsafe(lines.length);
  let length = 0;
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf(LINE_END, start);
    const event = JSON.parse(lines.toString('latin1', start, end)) as Record<string, string>;
    const { subject = '', type = '', time = '', source = '', id = '', quantity = '1' } = event;
    length += rows.write(`${subject}\t${type}\t${Date.parse(time)}\t${source}\t${id}\t${quantity}\n`, length, 'latin1');
    start = end + 1;
  }
  return rows.subarray(0, length);
}
