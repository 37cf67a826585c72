// Every difference has a name (promise I8). A break code says which rule found it, at which leg it began,
// what usually resolves it, and which repairs Trueup can plan for it.

/** The legs of a reconciliation, in the order of the money's way (DESIGN: S0, L0 to L7). */
export const STAGES = ['S0', 'L0', 'L1', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7'] as const;
export type Stage = (typeof STAGES)[number];

/**
 * What can be done about a break. `resend_hour` replaces hour totals at the biller; `invoice_item` charges or credits in a
 * draft; `credit_note` credits a finalized invoice; `reissue` voids it and issues another; `next_period` puts an adjustment
 * on the next draft; `write_off` gives the money up, with a reason.
 */
export const REPAIR_KINDS = [
  'resend_hour',
  'invoice_item',
  'credit_note',
  'reissue',
  'next_period',
  'write_off',
] as const;
export type RepairKind = (typeof REPAIR_KINDS)[number];

export type BreakRule = {
  readonly stage: Stage;
  readonly rule: string;
  readonly resolution: string;
  /** In the order in which they are offered; none where only people or another system can act. */
  readonly repairs: readonly RepairKind[];
};

const CORRECT_AMOUNT: readonly RepairKind[] = ['invoice_item', 'credit_note', 'next_period', 'reissue', 'write_off'];

export const BREAK_RULES = {
  MANIFEST_SHORT: {
    stage: 'S0',
    rule: "a source's manifest says more than was accepted from it",
    resolution: 'ask the source to send the hour again; duplicates count once',
    repairs: [],
  },
  USAGE_MISSING_RAW: {
    stage: 'L0',
    rule: 'the log holds messages that are neither stored nor rejected',
    resolution: 'read the log again from the missing offsets',
    repairs: [],
  },
  USAGE_DUPLICATE: {
    stage: 'L0',
    rule: 'an event counts more than once',
    resolution: 'void the copies and roll up again',
    repairs: ['credit_note', 'next_period', 'write_off'],
  },
  USAGE_UNATTRIBUTED: {
    stage: 'L0',
    rule: 'the event names an account that is not registered',
    resolution: 'register the account, or reject the source',
    repairs: ['write_off'],
  },
  ROLLUP_MISMATCH: {
    stage: 'L1',
    rule: 'the rollup differs from what the raw events add up to',
    resolution: 'recompute the window, then close again',
    repairs: [],
  },
  USAGE_LATE: {
    stage: 'L1',
    rule: 'usage of a closed period arrived behind its barrier',
    resolution: 'bill the difference as an invoice item in the next draft, or credit it',
    repairs: ['next_period', 'credit_note', 'write_off'],
  },
  USAGE_NOT_SENT: {
    stage: 'L2',
    rule: "our hour totals exceed Stripe's meter summary",
    resolution: 'resend the hour, then finalize the held invoice',
    repairs: ['resend_hour', 'invoice_item', 'next_period', 'write_off'],
  },
  USAGE_OVERSENT: {
    stage: 'L2',
    rule: "Stripe's meter summary exceeds our hour totals",
    resolution: 'overwrite the hour with our total, then finalize the held invoice',
    repairs: ['resend_hour', 'invoice_item', 'credit_note', 'next_period', 'write_off'],
  },
  METER_ERROR: {
    stage: 'L2',
    rule: 'Stripe took meter events and reported afterwards that it could not use them',
    resolution: 'correct what the error names, then resend the hours',
    repairs: ['resend_hour'],
  },
  QTY_MISMATCH: {
    stage: 'L3',
    rule: "the invoice lines' quantity differs from the closed usage",
    resolution: 'invoice item or credit note for the difference',
    repairs: CORRECT_AMOUNT,
  },
  PERIOD_MISMATCH: {
    stage: 'L3',
    rule: 'a usage line charges for another period than the one that was agreed',
    resolution: "find out what moved the subscription's anchor; re-issue or credit",
    repairs: CORRECT_AMOUNT,
  },
  PRICE_MISMATCH: {
    stage: 'L4',
    rule: 'the price on the line is not the one agreed for that time',
    resolution: 'correct the subscription item; credit note or invoice item for the difference',
    repairs: CORRECT_AMOUNT,
  },
  TIER_MISMATCH: {
    stage: 'L4',
    rule: 'quantity and price agree, the amount does not: a tier was applied wrongly',
    resolution: 're-rate; credit note or invoice item for the difference',
    repairs: CORRECT_AMOUNT,
  },
  PRORATION_MISMATCH: {
    stage: 'L4',
    rule: 'a line of a change inside the period differs from our own arithmetic',
    resolution: 'check the time of the change and the billing mode; credit or charge the difference',
    repairs: CORRECT_AMOUNT,
  },
  ROUNDING: {
    stage: 'L4',
    rule: 'the difference stays within half a minor unit per rounded line',
    resolution: 'accept; watch the running total',
    repairs: ['write_off'],
  },
  CURRENCY_MISMATCH: {
    stage: 'L5',
    rule: 'the invoice is in another currency than the account',
    resolution: 'stop; correct the customer, void and re-issue',
    repairs: ['reissue'],
  },
  DISCOUNT_CREDIT_MISMATCH: {
    stage: 'L5',
    rule: 'a discount or prepaid credit was not applied as agreed',
    resolution: 'correct the coupon or grant; credit or charge the difference',
    repairs: CORRECT_AMOUNT,
  },
  TAX_MISMATCH: {
    stage: 'L5',
    rule: 'the tax on the lines is not the agreed rate on what was charged',
    resolution: 'correct the rate or the exemption; re-issue',
    repairs: ['reissue', 'credit_note', 'write_off'],
  },
  FINALIZATION_FAILED: {
    stage: 'L5',
    rule: 'Stripe refused to finalize the invoice',
    resolution: 'remove the cause its code names, then finalize',
    repairs: [],
  },
  INVOICE_STUCK_DRAFT: {
    stage: 'L5',
    rule: 'the invoice is still a draft although nothing holds it',
    resolution: 'finalize it; look for the worker that should have',
    repairs: [],
  },
  CREDIT_NOTE_UNEXPLAINED: {
    stage: 'L6',
    rule: 'a credit note names no case of ours',
    resolution: 'link it to a case, or charge it back',
    repairs: ['next_period', 'write_off'],
  },
  WRITE_OFF: {
    stage: 'L6',
    rule: 'an invoice with usage was voided or written off without a case',
    resolution: 'approve the loss, or issue the invoice again',
    repairs: ['reissue', 'write_off'],
  },
  PAYMENT_MISSING: {
    stage: 'L6',
    rule: 'the invoice is due and nothing was paid',
    resolution: 'dunning',
    repairs: ['write_off'],
  },
  PAYMENT_PARTIAL: {
    stage: 'L6',
    rule: 'the invoice is due and less was paid than charged',
    resolution: 'collect the rest',
    repairs: ['write_off'],
  },
  PAYMENT_OVER: {
    stage: 'L6',
    rule: 'more was paid than charged',
    resolution: 'refund, or carry it as balance',
    repairs: [],
  },
  PAYMENT_OUT_OF_BAND: {
    stage: 'L6',
    rule: 'the invoice was marked as paid outside of Stripe',
    resolution: 'match it with the bank statement, then accept',
    repairs: [],
  },
  INVOICE_MISSING: {
    stage: 'L7',
    rule: 'an active subscription has no invoice for the period',
    resolution: 'create the invoice, or explain why none is due',
    repairs: ['reissue', 'next_period', 'write_off'],
  },
  INVOICE_ORPHAN: {
    stage: 'L7',
    rule: 'an invoice exists that no agreement and no case asks for',
    resolution: 'explain it, or void it',
    repairs: ['reissue', 'credit_note'],
  },
  INVOICE_DUPLICATE: {
    stage: 'L7',
    rule: 'one period was invoiced twice',
    resolution: 'void one of them',
    repairs: ['reissue', 'credit_note'],
  },
  STATE_DRIFT: {
    stage: 'L7',
    rule: "the subscription's state or billing mode at Stripe is not what we know",
    resolution: 'find the manual change or the missed event, then bring both in line',
    repairs: [],
  },
} as const satisfies Readonly<Record<string, BreakRule>>;

export type BreakCode = keyof typeof BREAK_RULES;

/** In the order of their legs. */
export const BREAK_CODES = Object.keys(BREAK_RULES) as BreakCode[];
