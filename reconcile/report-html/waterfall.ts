// Where the bars of a money bridge stand: running totals on a scale of whole steps. Money stays bigint; what leaves as
// a number is a place on paper. Pure.

import type { Currency } from '../../domain/money.ts';
import type { MoneyBridge, MoneyStep } from '../report/types.ts';
import { formatAmount, formatSigned } from './format.ts';

/** Places on the scale run from 0 to this. */
export const SCALE = 10_000;

export type Bar = {
  readonly step: MoneyStep['step'];
  readonly label: string;
  /** As the table beside the chart has it. */
  readonly amount: string;
  readonly kind: 'total' | 'less' | 'more' | 'none';
  /** The balance after this step. */
  readonly afterMinor: bigint;
  readonly from: number;
  readonly to: number;
};

export type Waterfall = {
  readonly bars: readonly Bar[];
  /** Money at place 0; above zero when the totals are cut so that small steps can be seen. */
  readonly floorMinor: bigint;
};

export function isTotal(step: MoneyStep['step']): boolean {
  return step === 'rated' || step === 'invoiced';
}

/** "1,234.00" for a total, "−12.00" or "+12.00" for a step. */
export function formatStep({ step, amountMinor }: MoneyStep, currency: Currency): string {
  const amount = BigInt(amountMinor);
  return isTotal(step) ? formatAmount(amount, currency) : formatSigned(amount, currency);
}

const STATE_LABELS: Readonly<Partial<Record<MoneyStep['step'], string>>> = {
  rated: 'Rated by us',
  held: 'Held back by the gate',
  unexplained: 'Unexplained',
  invoiced: 'Invoiced by Stripe',
};

export function stepLabel({ step, label }: MoneyStep): string {
  return STATE_LABELS[step] ?? label;
}

/** Each step's bar runs from the balance before it to the balance after it; the two totals run from the floor. */
export function computeWaterfall({ steps, currency }: MoneyBridge): Waterfall {
  let balanceMinor = 0n;
  const spans = steps.map((step) => {
    const amountMinor = BigInt(step.amountMinor);
    const beforeMinor = balanceMinor;
    balanceMinor = isTotal(step.step) ? amountMinor : balanceMinor + amountMinor;
    return { step, amountMinor, beforeMinor, afterMinor: balanceMinor };
  });
  const balances = spans.map(({ afterMinor }) => afterMinor);
  const { floorMinor, topMinor } = computeRange(balances);
  const place = (minor: bigint) => Number(((minor - floorMinor) * BigInt(SCALE)) / (topMinor - floorMinor));
  const bars = spans.map(({ step, amountMinor, beforeMinor, afterMinor }): Bar => {
    const total = isTotal(step.step);
    const sign = amountMinor === 0n ? 'none' : amountMinor < 0n ? 'less' : 'more';
    return {
      step: step.step,
      label: stepLabel(step),
      amount: formatStep(step, currency),
      kind: total ? 'total' : sign,
      afterMinor,
      from: total ? place(floorMinor > 0n ? floorMinor : 0n) : place(beforeMinor),
      to: place(afterMinor),
    };
  });
  return { bars, floorMinor };
}

/** From zero, unless all balances lie in the upper half: then from below the lowest, and the chart says so. */
function computeRange(balances: readonly bigint[]): { floorMinor: bigint; topMinor: bigint } {
  const lowest = balances.reduce((a, b) => (a < b ? a : b), balances[0] ?? 0n);
  const highest = balances.reduce((a, b) => (a > b ? a : b), balances[0] ?? 0n);
  const spread = highest - lowest;
  if (spread > 0n && lowest > 0n && spread * 2n < highest) {
    return { floorMinor: floorTo(lowest - spread / 3n), topMinor: highest };
  }
  const floorMinor = lowest < 0n ? lowest : 0n;
  return { floorMinor, topMinor: highest > floorMinor ? highest : floorMinor + 1n };
}

/** Down to two significant digits of a spoken figure, if that stays above zero. */
function floorTo(minor: bigint): bigint {
  if (minor <= 0n) return 0n;
  const unit = 10n ** BigInt(Math.max(0, minor.toString().length - 3));
  return (minor / unit) * unit;
}
