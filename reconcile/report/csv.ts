// breaks.csv after RFC 4180: CRLF, quotes doubled, amounts as exact decimal text. A cell that a spreadsheet would run as
// a formula is defused with a leading apostrophe; amounts are numbers by construction and stay as they are. Pure.

import { formatDecimal } from '../../domain/decimal.ts';
import { CURRENCY_EXPONENTS } from '../../domain/money.ts';
import type { ReportBreak } from './types.ts';

const COLUMNS = [
  'period',
  'code',
  'stage',
  'account',
  'meter',
  'amount',
  'currency',
  'expected',
  'actual',
  'hours',
  'status',
  'broke_at',
  'age_days',
  'resolution',
  'evidence',
] as const;

export function formatBreaksCsv(period: string, breaks: readonly ReportBreak[]): string {
  const rows = breaks.map((found) => [
    safe(period),
    safe(found.code),
    safe(found.stage),
    safe(found.account),
    safe(found.meter ?? ''),
    formatDecimal({ units: BigInt(found.amountMinor), scale: CURRENCY_EXPONENTS[found.currency] }),
    safe(found.currency),
    safe(found.expected),
    safe(found.actual),
    safe(found.hours.join(' ')),
    safe(found.status),
    safe(found.brokeAt),
    String(found.ageDays),
    safe(found.resolution),
    safe(found.evidence.join(' ')),
  ]);
  return [COLUMNS, ...rows].map((row) => `${row.map(quote).join(',')}\r\n`).join('');
}

/** Spreadsheets take these first characters for the start of a formula. */
function safe(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
