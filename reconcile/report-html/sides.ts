// The two sides of a break. A report carries them as the comparison wrote them: meter units, minor units, price ids or
// a sentence that ends in minor units. Here they get the units a reader knows. What is in none of these forms is shown
// as it stands. Pure.

import type { BreakCode } from '../../domain/contracts/break-codes.ts';
import type { ReportBreak } from '../report/types.ts';
import { html, type Html } from './escape.ts';
import { formatAmountIn, quantityHtml } from './format.ts';

const WHOLE = /^-?\d{1,30}$/;

/** What a bare number means on each side of these breaks, when one meter is concerned; words stand as they are. */
const MEANING: Readonly<Partial<Record<BreakCode, 'quantity' | 'money'>>> = {
  USAGE_NOT_SENT: 'quantity',
  USAGE_OVERSENT: 'quantity',
  USAGE_LATE: 'quantity',
  USAGE_UNATTRIBUTED: 'quantity',
  USAGE_DUPLICATE: 'quantity',
  ROLLUP_MISMATCH: 'quantity',
  QTY_MISMATCH: 'quantity',
  TIER_MISMATCH: 'money',
  PRORATION_MISMATCH: 'money',
  ROUNDING: 'money',
};

/** What is no meter's is compared in words that end in an amount. */
const MONEY_WORDS = /^(plan fee|tax|paid|\d+ items of|\d+ plan fee and \d+ other lines of) (-?\d{1,30})$/;

export function sideHtml({ code, meter, currency }: ReportBreak, side: string): Html {
  const meaning = MEANING[code];
  if (meter !== null && meaning === 'quantity' && WHOLE.test(side)) return quantityHtml(meter, side);
  if (meter !== null && meaning === 'money' && WHOLE.test(side)) return html`${formatAmountIn(BigInt(side), currency)}`;
  const worded = meter === null ? MONEY_WORDS.exec(side) : null;
  if (worded !== null)
    return html`<span class="words">${worded[1] ?? ''} ${formatAmountIn(BigInt(worded[2] ?? '0'), currency)}</span>`;
  return html`<span class="words">${side}</span>`;
}
