// Every difference has a name (promise I8). A break code says which rule found it, at which leg it began,
// and what usually resolves it.

export const BREAK_CODES = [
  'USAGE_NOT_SENT',
  'USAGE_OVERSENT',
  'USAGE_LATE',
  'USAGE_UNATTRIBUTED',
  'QTY_MISMATCH',
  'PRICE_MISMATCH',
  'TIER_MISMATCH',
  'INVOICE_MISSING',
  'ROUNDING',
] as const;

export type BreakCode = (typeof BREAK_CODES)[number];

/** The legs of a reconciliation, in the order of the money's way (DESIGN: S0, L0 to L7). */
export const STAGES = ['S0', 'L0', 'L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7'] as const;
export type Stage = (typeof STAGES)[number];

export type BreakRule = { readonly stage: Stage; readonly rule: string; readonly resolution: string };

export const BREAK_RULES: Readonly<Record<BreakCode, BreakRule>> = {
  USAGE_NOT_SENT: {
    stage: 'L2',
    rule: "our hour totals exceed Stripe's meter summary",
    resolution: 'resend the hour, then finalize the held invoice',
  },
  USAGE_OVERSENT: {
    stage: 'L2',
    rule: "Stripe's meter summary exceeds our hour totals",
    resolution: 'overwrite the hour with our total, then finalize the held invoice',
  },
  USAGE_LATE: {
    stage: 'L1',
    rule: 'usage of a closed period arrived behind its barrier',
    resolution: 'bill the difference as an invoice item in the next draft, or credit it',
  },
  USAGE_UNATTRIBUTED: {
    stage: 'L0',
    rule: 'the event names an account that is not registered',
    resolution: 'register the account, or reject the source',
  },
  QTY_MISMATCH: {
    stage: 'L3',
    rule: "the invoice lines' quantity differs from the closed usage",
    resolution: 'invoice item or credit note for the difference',
  },
  PRICE_MISMATCH: {
    stage: 'L4',
    rule: 'the price on the line is not the one agreed for that time',
    resolution: 'correct the subscription item; credit note or invoice item for the difference',
  },
  TIER_MISMATCH: {
    stage: 'L4',
    rule: 'quantity and price agree, the amount does not: a tier was applied wrongly',
    resolution: 're-rate; credit note or invoice item for the difference',
  },
  INVOICE_MISSING: {
    stage: 'L7',
    rule: 'an active subscription has no invoice for the period',
    resolution: 'create the invoice, or explain why none is due',
  },
  ROUNDING: {
    stage: 'L4',
    rule: 'the difference stays within half a minor unit per rounded line',
    resolution: 'accept; watch the running total',
  },
};
