// One table of a report, however it is written down: CSV and spreadsheet are drawn from the same cells. Pure.

import { formatDecimal } from '../../domain/decimal.ts';
import { CURRENCY_EXPONENTS, type Currency } from '../../domain/money.ts';

export type Cell =
  | { readonly kind: 'text'; readonly text: string }
  /** Exact decimals; `decimals` is how many a reader should see. Null is what is not known, never zero. */
  | { readonly kind: 'number'; readonly text: string; readonly decimals: number }
  | { readonly kind: 'unknown' };

export type Table = {
  /** File and sheet name, snake_case. */
  readonly name: string;
  /** Stable snake_case names. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
};

export function text(value: string | null): Cell {
  return value === null ? { kind: 'unknown' } : { kind: 'text', text: value };
}

/** A whole number as text or count. */
export function whole(value: string | bigint | number | null): Cell {
  return value === null ? { kind: 'unknown' } : { kind: 'number', text: value.toString(), decimals: 0 };
}

/** Minor units as an amount in the currency's own decimals: "-12.30", JPY without any. */
export function money(minor: string | bigint | null, currency: Currency): Cell {
  if (minor === null) return { kind: 'unknown' };
  return { kind: 'number', text: formatAmount(BigInt(minor), currency), decimals: CURRENCY_EXPONENTS[currency] };
}

function formatAmount(minor: bigint, currency: Currency): string {
  const scale = CURRENCY_EXPONENTS[currency];
  const [integer = '0', fraction = ''] = formatDecimal({ units: minor, scale }).split('.');
  return scale === 0 ? integer : `${integer}.${fraction.padEnd(scale, '0')}`;
}
