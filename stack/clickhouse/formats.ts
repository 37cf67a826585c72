/** What is known about formats, by lower-cased name. Pure. */

const ROW_END_IS_LINE_END = names(
  'JSONEachRow JSONCompactEachRow JSONStringsEachRow JSONCompactStringsEachRow TSV TabSeparated',
);
const INLINE = names('CSV CSVWithNames TSVWithNames TabSeparatedWithNames');
const UNFRAMED = names(
  'JSONEachRow JSONCompactEachRow JSONStringsEachRow JSONCompactStringsEachRow TSV TabSeparated TSVRaw TabSeparatedRaw CSV TSKV LineAsString RowBinary Native MsgPack',
);

/** A raw line end always ends a row, so a body may be cut there. */
export function isLineFormat(format: string): boolean {
  return ROW_END_IS_LINE_END.has(format.toLowerCase());
}

/** Text that the engine accepts right behind the statement. */
export function isInlineFormat(format: string): boolean {
  return isLineFormat(format) || INLINE.has(format.toLowerCase());
}

/** Pieces of output may simply follow one another: nothing frames the whole, no header is repeated. */
export function isUnframed(format: string): boolean {
  return UNFRAMED.has(format.toLowerCase());
}

function names(list: string): ReadonlySet<string> {
  return new Set(list.toLowerCase().split(' '));
}
