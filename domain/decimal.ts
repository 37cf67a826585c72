// Exact decimals over bigint and the one rounding function of Trueup. No float touches money or quantity (promise I5).

import { TrueupError } from './contracts/errors.ts';

/** The value is `units / 10^scale`. */
export type Decimal = { readonly units: bigint; readonly scale: number };

const DECIMAL_TEXT = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Parses plain decimal notation ("12", "-0.5", "0.000105"). Throws `rejected` DECIMAL_INVALID. */
export function parseDecimal(text: string): Decimal {
  const match = DECIMAL_TEXT.exec(text);
  if (match === null) {
    throw new TrueupError({ kind: 'rejected', code: 'DECIMAL_INVALID', message: `"${text}" is not a plain decimal` });
  }
  const fraction = match[3] ?? '';
  const units = BigInt(`${match[2] ?? ''}${fraction}`);
  return { units: match[1] === '-' ? -units : units, scale: fraction.length };
}

/** The shortest plain notation: no exponent, no trailing zeros. */
export function formatDecimal({ units, scale }: Decimal): string {
  const digits = magnitude(units)
    .toString()
    .padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** A whole number written as a decimal ("12", "12.000"). Throws `bug`-free `rejected` DECIMAL_INVALID on a fraction. */
export function parseWhole(text: string): bigint {
  const { units, scale } = parseDecimal(text);
  const unit = 10n ** BigInt(scale);
  if (units % unit !== 0n) {
    throw new TrueupError({ kind: 'rejected', code: 'DECIMAL_INVALID', message: `"${text}" is not a whole number` });
  }
  return units / unit;
}

/** Without its sign. */
export function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** `numerator / denominator` rounded to a whole number, halves away from zero. Nothing else in Trueup rounds. */
export function divideHalfAway(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n !== denominator < 0n;
  const n = magnitude(numerator);
  const d = magnitude(denominator);
  const rounded = (2n * n + d) / (2n * d);
  return negative ? -rounded : rounded;
}

/** `quantity × unitAmount`, rounded once to whole minor units. */
export function multiplyToMinor(quantity: bigint, unitAmount: Decimal): bigint {
  return divideHalfAway(quantity * unitAmount.units, 10n ** BigInt(unitAmount.scale));
}
