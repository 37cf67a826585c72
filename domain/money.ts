// Money is a bigint of minor units and a currency. The exponent table is explicit: a currency that is not in it is
// refused rather than guessed, because a hard-coded 100 charges Japanese customers a hundredfold.

import { TrueupError } from './contracts/errors.ts';
import { formatDecimal } from './decimal.ts';

/**
 * Minor units as Stripe counts them (its documentation on zero- and three-decimal currencies). Left out are those it treats
 * in its own way (HUF, ISK, TWD, UGX), where a guess would be wrong by a hundredfold.
 */
export const CURRENCY_EXPONENTS = {
  aud: 2,
  bhd: 3,
  brl: 2,
  cad: 2,
  chf: 2,
  clp: 0,
  cny: 2,
  czk: 2,
  dkk: 2,
  eur: 2,
  gbp: 2,
  hkd: 2,
  ils: 2,
  inr: 2,
  jod: 3,
  jpy: 0,
  krw: 0,
  kwd: 3,
  mxn: 2,
  myr: 2,
  nok: 2,
  nzd: 2,
  omr: 3,
  php: 2,
  pln: 2,
  pyg: 0,
  ron: 2,
  sar: 2,
  sek: 2,
  sgd: 2,
  thb: 2,
  tnd: 3,
  try: 2,
  usd: 2,
  vnd: 0,
  xaf: 0,
  xof: 0,
  zar: 2,
} as const;

export type Currency = keyof typeof CURRENCY_EXPONENTS;

/** Throws `rejected` DECIMAL_INVALID for a currency outside the table. */
export function parseCurrency(text: string): Currency {
  if (Object.hasOwn(CURRENCY_EXPONENTS, text)) return text as Currency;
  throw new TrueupError({
    kind: 'rejected',
    code: 'DECIMAL_INVALID',
    message: `currency "${text}" has no known number of decimals`,
    field: 'currency',
    next: 'add its exponent to CURRENCY_EXPONENTS in domain/money.ts',
  });
}

/** `1234567n` usd → "12,345.67". For people; records carry minor units as strings. */
export function formatMoney(amountMinor: bigint, currency: Currency): string {
  const exponent = CURRENCY_EXPONENTS[currency];
  const [whole = '0', fraction = ''] = formatDecimal({ units: amountMinor, scale: exponent }).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
  return exponent === 0 ? grouped : `${grouped}.${fraction.padEnd(exponent, '0')}`;
}

/**
 * Splits `totalMinor` in proportion to `weights` by largest remainder, so that the parts always add up to the total.
 * Ties go to the earlier part. Weights are not negative and at least one is positive.
 */
export function allocate(totalMinor: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((a, b) => a + b, 0n);
  const sign = totalMinor < 0n ? -1n : 1n;
  const magnitude = totalMinor * sign;
  const parts = weights.map((weight) => (magnitude * weight) / sum);
  let left = magnitude - parts.reduce((a, b) => a + b, 0n);
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (magnitude * weight) % sum }))
    .sort((a, b) => (a.remainder === b.remainder ? a.index - b.index : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of byRemainder) {
    if (left === 0n) break;
    parts[index] = (parts[index] ?? 0n) + 1n;
    left -= 1n;
  }
  return parts.map((part) => part * sign);
}
