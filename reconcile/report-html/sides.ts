// The two sides of a break. A report carries them as the comparison wrote them: meter units, minor units, price ids or
// a sentence that ends in minor units. Here they get the units a reader knows. What is in none of these forms is shown
// as it stands. Pure.

import type { BreakCode } from '../../domain/contracts/break-codes.ts';
import type { ReportBreak } from '../report/types.ts';
import { html, type Html } from './escape.ts';
import { formatAmountIn, quantityHtml } from './format.ts';

const WHOLE = /^-?\d{1,30}$/;

/** What a bare number means on each side of these breaks, when one meter is concerned. */
const MEANING: Readonly<Record<BreakCode, 'quantity' | 'money' | 'text'>> = {
  USAGE_NOT_SENT: 'quantity',
  USAGE_OVERSENT: 'quantity',
  USAGE_LATE: 'quantity',
  USAGE_UNATTRIBUTED: 'quantity',
  QTY_MISMATCH: 'quantity',
  PRICE_MISMATCH: 'text',
  TIER_MISMATCH: 'money',
  INVOICE_MISSING: 'text',
  ROUNDING: 'money',
};

/** Plan fees are compared in words that end in the amount. */
const FEE_WORDS = /^(plan fee|\d+ plan fee and \d+ other lines of) (-?\d{1,30})$/;

export function sideHtml({ code, meter, currency }: ReportBreak, side: string): Html {
  const meaning = MEANING[code];
  if (meter !== null && meaning === 'quantity' && WHOLE.test(side)) return quantityHtml(meter, side);
  if (meter !== null && meaning === 'money' && WHOLE.test(side)) return html`${formatAmountIn(BigInt(side), currency)}`;
  const fee = meter === null ? FEE_WORDS.exec(side) : null;
  if (fee !== null)
    return html`<span class="words">${fee[1] ?? ''} ${formatAmountIn(BigInt(fee[2] ?? '0'), currency)}</span>`;
  return html`<span class="words">${side}</span>`;
}
