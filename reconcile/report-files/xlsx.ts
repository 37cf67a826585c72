// The tables as one workbook, a sheet each. A spreadsheet holds numbers as doubles, which are exact up to 15 digits: a longer
// one is written as text, so that no cell ever shows another amount than the CSV.

import { unzipSync, zipSync } from 'fflate';
import type { Cell as SheetCell } from 'write-excel-file/node';
import writeXlsxFile from 'write-excel-file/node';
import type { Cell, Table } from './table.ts';

const EXACT_DIGITS = 15;
const WIDTH_MIN = 10;
const WIDTH_MAX = 48;

/** The bytes of an .xlsx file. */
export async function toXlsx(tables: readonly Table[]): Promise<Buffer> {
  const sheets = tables.map(({ name, columns, rows }) => ({
    sheet: name,
    stickyRowsCount: 1,
    columns: columns.map((column, index) => ({ width: toWidth(column, rows, index) })),
    data: [
      columns.map((value) => ({ value, fontWeight: 'bold' as const })),
      ...rows.map((row) => row.map(toSheetCell)),
    ],
  }));
  return withoutTimes(await writeXlsxFile(sheets).toBuffer());
}

/** An archive dates its members; the same report must give the same bytes. Archives know local time only, from 1980 on. */
function withoutTimes(xlsx: Buffer): Buffer {
  return Buffer.from(zipSync(unzipSync(xlsx), { mtime: new Date(1980, 0, 1) }));
}

function toSheetCell(cell: Cell): SheetCell {
  if (cell.kind === 'unknown') return null;
  if (cell.kind === 'text') return { value: cell.text, type: String };
  if (cell.text.replaceAll(/\D/g, '').length > EXACT_DIGITS) return { value: cell.text, type: String, align: 'right' };
  const format = cell.decimals === 0 ? '#,##0' : `#,##0.${'0'.repeat(cell.decimals)}`;
  return { value: Number(cell.text), type: Number, format };
}

function toWidth(column: string, rows: Table['rows'], index: number): number {
  const longest = rows.reduce((most, row) => {
    const cell = row[index];
    return cell === undefined || cell.kind === 'unknown' ? most : Math.max(most, cell.text.length);
  }, column.length);
  return Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, longest + 2));
}
