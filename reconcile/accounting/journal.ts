// Invoices and credit notes as double entries: what a ledger imports. Debits equal credits in every entry, in exact minor units,
// or the entry is refused; an amount below zero stands on the other side, so no posting is negative. Pure.

import { invariant } from '../../domain/contracts/errors.ts';
import type { MeterName } from '../../domain/meter.ts';
import type { Currency } from '../../domain/money.ts';

/** A line as charged or as expected: both shapes fit. */
export type JournalLine = {
  readonly kind: 'usage' | 'plan_fee' | 'proration' | 'adjustment' | 'commitment' | 'repair' | 'other';
  readonly meter: MeterName | null;
  readonly caseId: string | null;
  readonly amountMinor: bigint;
  readonly discountMinor: bigint;
  readonly creditMinor: bigint;
  readonly taxMinor: bigint;
};

export type JournalInvoice = {
  /** Number or id: names the entry. */
  readonly id: string;
  readonly account: string;
  readonly currency: Currency;
  readonly finalizedAtMs: number;
  readonly lines: readonly JournalLine[];
  /** As the invoice states it, tax included. */
  readonly totalMinor: bigint;
};

export type JournalCreditNote = {
  readonly id: string;
  readonly account: string;
  readonly currency: Currency;
  readonly issuedAtMs: number;
  readonly caseId: string | null;
  readonly amountMinor: bigint;
};

export type Posting = {
  readonly ledgerAccount: string;
  readonly meter: MeterName | null;
  readonly caseId: string | null;
  readonly debitMinor: bigint;
  readonly creditMinor: bigint;
};

export type JournalEntry = {
  readonly id: string;
  readonly kind: 'invoice' | 'credit_note';
  readonly account: string;
  readonly currency: Currency;
  readonly postedAtMs: number;
  readonly postings: readonly Posting[];
};

/** Debits are positive here and credits negative, until they are written down. */
type Movement = { ledgerAccount: string; meter: MeterName | null; caseId: string | null; minor: bigint };

/** Throws `bug` INVARIANT_BROKEN when the lines don't add up to the invoice's total. */
export function toInvoiceEntry(invoice: JournalInvoice): JournalEntry {
  const total = (of: (line: JournalLine) => bigint) => invoice.lines.reduce((sum, line) => sum + of(line), 0n);
  const movements = [
    movement('accounts_receivable', invoice.totalMinor),
    movement(
      'prepaid_credit',
      total((line) => line.creditMinor),
    ),
    movement(
      'discounts',
      total((line) => line.discountMinor),
    ),
    ...invoice.lines.map((line) => ({ ...revenueOf(line), minor: -line.amountMinor })),
    movement('tax_payable', -total((line) => line.taxMinor)),
  ];
  const { id, account, currency, finalizedAtMs } = invoice;
  return toEntry({ id, kind: 'invoice', account, currency, postedAtMs: finalizedAtMs }, movements);
}

/** A credit note takes back revenue; it does not say which part of it was tax. */
export function toCreditNoteEntry(note: JournalCreditNote): JournalEntry {
  const { id, account, currency, issuedAtMs, caseId, amountMinor } = note;
  const movements = [
    { ...movement('revenue_adjustments', amountMinor), caseId },
    movement('accounts_receivable', -amountMinor),
  ];
  return toEntry({ id, kind: 'credit_note', account, currency, postedAtMs: issuedAtMs }, movements);
}

function movement(ledgerAccount: string, minor: bigint): Movement {
  return { ledgerAccount, meter: null, caseId: null, minor };
}

/** Null where the meter says it. */
const REVENUE: Readonly<Record<JournalLine['kind'], string | null>> = {
  usage: null,
  proration: null,
  plan_fee: 'revenue_plan_fee',
  commitment: 'revenue_commitment',
  adjustment: 'revenue_adjustments',
  repair: 'revenue_adjustments',
  other: 'revenue_other',
};

function revenueOf({ kind, meter, caseId }: JournalLine): Omit<Movement, 'minor'> {
  const ofMeter = meter === null ? 'revenue_other' : `revenue_${meter}`;
  return { ledgerAccount: REVENUE[kind] ?? ofMeter, meter, caseId };
}

/** One posting per ledger account, meter and case; what adds up to nothing is left out. */
function toEntry(entry: Omit<JournalEntry, 'postings'>, movements: readonly Movement[]): JournalEntry {
  const groups = Map.groupBy(movements, ({ ledgerAccount, meter, caseId }) => `${ledgerAccount} ${meter} ${caseId}`);
  const postings = [...groups.values()].flatMap((members): Posting[] => {
    const minor = members.reduce((sum, member) => sum + member.minor, 0n);
    const [first] = members;
    if (first === undefined || minor === 0n) return [];
    const { ledgerAccount, meter, caseId } = first;
    const [debitMinor, creditMinor] = minor > 0n ? [minor, 0n] : [0n, -minor];
    return [{ ledgerAccount, meter, caseId, debitMinor, creditMinor }];
  });
  const outMinor = postings.reduce((sum, posting) => sum + posting.debitMinor - posting.creditMinor, 0n);
  invariant(
    outMinor === 0n,
    'I5',
    `${entry.kind} ${entry.id} of ${entry.account} is ${outMinor} minor units out of balance`,
  );
  return { ...entry, postings };
}
