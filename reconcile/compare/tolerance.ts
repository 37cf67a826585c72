// What small means. Every difference is recorded; this only says which ones are accepted by rule and who must look at the
// others. All policy values stand here, with their reasons. Pure.

import { magnitude } from '../../domain/decimal.ts';
import { CURRENCY_EXPONENTS, type Currency } from '../../domain/money.ts';
import type { BreakStatus, Finding } from './break.ts';

export const TOLERANCE = {
  /**
   * Rounding that one account may be forgiven in one period, in minor units. Each rounded line is off by half a unit at
   * most, and honest halves cancel out: an invoice of forty lines that rounds fairly stays below this. A bias that always
   * goes one way does not, and is the classic leak.
   */
  roundingCapMinor: 10n,
  /** A tenth of a percent of the invoice: below it nobody would re-issue. */
  materialBasisPoints: 10n,
  /**
   * The least that is material where a major unit has two decimals or none: about ten dollars, a thousand yen. Below it the
   * work costs more than the difference, however small the invoice.
   */
  materialLeastMinor: 1_000n,
  /** The same where it has three: ten dinars. */
  materialLeastOfThreeDecimalsMinor: 10_000n,
} as const;

/** From this amount on a difference is material: the greater of an absolute amount and a share of the invoice. */
export function computeMateriality(currency: Currency, invoiceMinor: bigint): bigint {
  const { materialLeastMinor, materialLeastOfThreeDecimalsMinor } = TOLERANCE;
  const least = CURRENCY_EXPONENTS[currency] === 3 ? materialLeastOfThreeDecimalsMinor : materialLeastMinor;
  const share = (magnitude(invoiceMinor) * TOLERANCE.materialBasisPoints) / 10_000n;
  return share > least ? share : least;
}

/**
 * Rounding within its computed bound is accepted and totalled, unless an account's rounding of one period adds up beyond
 * the cap: then all of it waits for a person, as everything else does. Differences in both directions count, because what
 * cancels out for the account need not for its customers.
 */
export function computeStatuses(findings: readonly Pick<Finding, 'code' | 'amountMinor'>[]): BreakStatus[] {
  const rounding = findings.filter(({ code }) => code === 'ROUNDING');
  const total = rounding.reduce((sum, { amountMinor }) => sum + magnitude(amountMinor), 0n);
  const accepted = total <= TOLERANCE.roundingCapMinor;
  return findings.map(({ code }) => (code === 'ROUNDING' && accepted ? 'auto-accepted' : 'open'));
}
