// A table after RFC 4180: UTF-8, CRLF, quotes doubled, exact decimals. A text that a spreadsheet would run as a formula is
// defused with a leading apostrophe; numbers are numbers by construction and stay as they are. Pure.

import type { Cell, Table } from './table.ts';

export function formatCsv({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string {
  const lines = rows.map((row) => row.map((cell) => quote(toField(cell))));
  return [columns.map(quote), ...lines].map((fields) => `${fields.join(',')}\r\n`).join('');
}

function toField(cell: Cell): string {
  if (cell.kind === 'unknown') return '';
  return cell.kind === 'text' ? defuse(cell.text) : cell.text;
}

/** Spreadsheets take these first characters for the start of a formula. */
function defuse(value: string): string {
  return /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
}

function quote(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
