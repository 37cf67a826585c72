// How numbers, times and hashes look on paper. Exact: money and quantities stay bigint and text. Pure, without locale
// or time zone of the machine, so the same report gives the same bytes everywhere.

import { formatDecimal } from '../../domain/decimal.ts';
import { meterUnits, toSpoken, type MeterName } from '../../domain/meter.ts';
import { formatMoney, type Currency } from '../../domain/money.ts';
import { html, type Html } from './escape.ts';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** The typographic minus is as wide as a digit, so columns of signed numbers stay straight. */
const MINUS = '\u2212';

const METER_LABELS: Readonly<Record<MeterName, string>> = {
  actions: 'Actions',
  active_storage: 'Active storage',
  retained_storage: 'Retained storage',
};

/** A meter that is not ours goes by its own name. */
export function meterLabel(meter: MeterName): string {
  const labels: Partial<typeof METER_LABELS> = METER_LABELS;
  return labels[meter] ?? meter;
}

export function monthOf(month: string): string {
  return MONTHS[Number(month) - 1] ?? month;
}

/** `2026-10` → "October 2026". */
export function formatPeriod(period: string): string {
  const [year = '', month = ''] = period.split('-');
  return `${monthOf(month)} ${year}`;
}

/** `2026-11-04T00:00:00.000Z` → "4 November 2026, 00:00 UTC". */
export function formatInstant(iso: string): string {
  const [year = '', month = '', day = ''] = iso.slice(0, 10).split('-');
  return `${day.replace(/^0/, '')} ${monthOf(month)} ${year}, ${iso.slice(11, 16)} UTC`;
}

/** `2026-11-09T00:00:00.000Z` → "9 Nov 2026". */
export function formatDay(iso: string): string {
  const [year = '', month = '', day = ''] = iso.slice(0, 10).split('-');
  return `${day.replace(/^0/, '')} ${monthOf(month).slice(0, 3)} ${year}`;
}

/** `2026-10-12T14:00:00.000Z` → "12 Oct 14:00". */
export function formatHour(iso: string): string {
  const [, month = '', day = ''] = iso.slice(0, 10).split('-');
  return `${day.replace(/^0/, '')} ${monthOf(month).slice(0, 3)} ${iso.slice(11, 16)}`;
}

/** Thousands separated, minus as a minus sign: "−1,234". Takes plain decimals too. */
export function formatNumber(text: string): string {
  const [whole = '', fraction] = text.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',').replace('-', MINUS);
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** "−1,234.56", without currency: the column names it. */
export function formatAmount(amountMinor: bigint, currency: Currency): string {
  return formatMoney(amountMinor, currency).replace('-', MINUS);
}

/** "1,234.56 USD". */
export function formatAmountIn(amountMinor: bigint, currency: Currency): string {
  return `${formatAmount(amountMinor, currency)} ${currency.toUpperCase()}`;
}

/** A step of a bridge: "+12.00" or "−12.00". */
export function formatSigned(amountMinor: bigint, currency: Currency): string {
  return `${amountMinor > 0n ? '+' : ''}${formatAmount(amountMinor, currency)}`;
}

/** 9966 → "99.66 %", 10 → "0.1 %". */
export function formatBasisPoints(basisPoints: bigint): string {
  return `${formatDecimal({ units: basisPoints, scale: 2 })}\u00a0%`;
}

/** What a difference means: positive is expected more than charged. */
export function billedWord(amountMinor: bigint): string {
  if (amountMinor === 0n) return 'no money';
  return amountMinor > 0n ? 'under-billed' : 'over-billed';
}

/** In the unit people speak of, exactly. */
export function formatQuantity(meter: MeterName, quantity: string): string {
  return formatNumber(formatDecimal(toSpoken(meter, BigInt(quantity))));
}

/** The same with all decimals, so that a column's points stand under each other. */
export function formatQuantityCell(meter: MeterName, quantity: string): string {
  const [whole = '', fraction = ''] = formatQuantity(meter, quantity).split('.');
  return `${whole}.${fraction.padEnd(toSpoken(meter, 0n).scale, '0')}`;
}

const exactly = (meter: MeterName, quantity: string) => `${formatNumber(quantity)} × 1 ${meterUnits(meter).unit}`;

/** For a column whose head names the unit; the exact meter units are a pointer's rest away. */
export function quantityCell(meter: MeterName, quantity: string): Html {
  return html`<span title="${exactly(meter, quantity)}">${formatQuantityCell(meter, quantity)}</span>`;
}

/** With its unit, for where it stands alone. */
export function quantityHtml(meter: MeterName, quantity: string): Html {
  const { spokenUnit } = meterUnits(meter);
  return html`<span title="${exactly(meter, quantity)}">${formatQuantity(meter, quantity)} ${spokenUnit}</span>`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count.toString())} ${count === 1 ? one : many}`;
}

/** The first 12 digits for the eye, all of them in the title. */
export function shortHash(hash: string): Html {
  return html`<code title="${hash}">${hash.slice(0, 12)}</code>`;
}

/** "a, b and c". */
export function joinWords(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
