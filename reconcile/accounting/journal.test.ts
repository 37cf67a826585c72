import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCsv } from '../report-files/csv.ts';
import { toCreditNoteEntry, toInvoiceEntry, type JournalInvoice, type JournalLine } from './journal.ts';
import { journalTable } from './tables.ts';

const line = (over: Partial<JournalLine>): JournalLine => ({
  kind: 'usage',
  meter: null,
  caseId: null,
  amountMinor: 0n,
  discountMinor: 0n,
  creditMinor: 0n,
  taxMinor: 0n,
  ...over,
});
const totalOf = (lines: readonly JournalLine[]) =>
  lines.reduce((sum, one) => sum + one.amountMinor - one.discountMinor - one.creditMinor + one.taxMinor, 0n);
const invoice = (lines: readonly JournalLine[], over: Partial<JournalInvoice> = {}): JournalInvoice => ({
  id: 'TRU-0007',
  account: 'acme',
  currency: 'usd',
  finalizedAtMs: Date.UTC(2026, 10, 3),
  lines,
  totalMinor: totalOf(lines),
  ...over,
});

describe('the journal', () => {
  test('says where every cent of an invoice goes', () => {
    const entry = toInvoiceEntry(
      invoice([
        line({ meter: 'actions', amountMinor: 25_000n, discountMinor: 2_500n, creditMinor: 20_000n, taxMinor: 475n }),
        line({ meter: 'actions', kind: 'proration', amountMinor: 1_000n, discountMinor: 100n, taxMinor: 171n }),
        line({ meter: 'active_storage' }),
        line({ kind: 'plan_fee', amountMinor: 50_000n, discountMinor: 5_000n, taxMinor: 8_550n }),
        line({ kind: 'commitment', amountMinor: 4_000n, taxMinor: 760n }),
        line({ kind: 'adjustment', meter: 'actions', caseId: 'case-1', amountMinor: -1_250n, taxMinor: -238n }),
      ]),
    );
    expect(formatCsv(journalTable([entry]))).toBe(
      [
        'posted_at,entry,kind,account,ledger_account,meter,case,currency,debit,credit',
        '2026-11-03T00:00:00.000Z,TRU-0007,invoice,acme,accounts_receivable,,,usd,608.68,',
        '2026-11-03T00:00:00.000Z,TRU-0007,invoice,acme,prepaid_credit,,,usd,200.00,',
        '2026-11-03T00:00:00.000Z,TRU-0007,invoice,acme,discounts,,,usd,76.00,',
        '2026-11-03T00:00:00.000Z,TRU-0007,invoice,acme,revenue_actions,actions,,usd,,260.00',
        '2026-11-03T00:00:00.000Z,TRU-0007,invoice,acme,revenue_plan_fee,,,usd,,500.00',
        '2026-11-03T00:00:00.000Z,TRU-0007,invoice,acme,revenue_commitment,,,usd,,40.00',
        '2026-11-03T00:00:00.000Z,TRU-0007,invoice,acme,revenue_adjustments,actions,case-1,usd,12.50,',
        '2026-11-03T00:00:00.000Z,TRU-0007,invoice,acme,tax_payable,,,usd,,97.18',
        '',
      ].join('\r\n'),
    );
  });

  test('writes dinars in three decimals and yen in none, however many digits they have', () => {
    const huge = 2n ** 70n + 1n;
    const rows = (['kwd', 'jpy'] as const).map((currency) => {
      const entry = toInvoiceEntry(invoice([line({ meter: 'actions', amountMinor: huge })], { currency }));
      return formatCsv(journalTable([entry])).split('\r\n')[1];
    });
    expect(rows[0]).toMatch(/,kwd,1180591620717411303\.425,$/);
    expect(rows[1]).toMatch(/,jpy,1180591620717411303425,$/);
  });

  test('refuses an invoice whose lines are not its total', () => {
    const lines = [line({ meter: 'actions', amountMinor: 100n, taxMinor: 19n })];
    expect(() => toInvoiceEntry(invoice(lines, { totalMinor: 118n }))).toThrow(
      'invoice TRU-0007 of acme is -1 minor units out of balance',
    );
  });

  test('takes revenue back with a credit note', () => {
    const entry = toCreditNoteEntry({
      id: 'CN-1',
      account: 'acme',
      currency: 'usd',
      issuedAtMs: Date.UTC(2026, 10, 9),
      caseId: 'case-2',
      amountMinor: 1_234n,
    });
    expect(
      entry.postings.map(({ ledgerAccount, debitMinor, creditMinor }) => [ledgerAccount, debitMinor, creditMinor]),
    ).toEqual([
      ['revenue_adjustments', 1_234n, 0n],
      ['accounts_receivable', 0n, 1_234n],
    ]);
  });

  test('balances for every invoice, without a negative or an empty posting', () => {
    const minor = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
    const lines = fc.array(
      fc.record({
        kind: fc.constantFrom<JournalLine['kind'][]>(
          'usage',
          'plan_fee',
          'proration',
          'adjustment',
          'commitment',
          'repair',
          'other',
        ),
        meter: fc.constantFrom(null, 'actions' as const, 'retained_storage' as const),
        caseId: fc.constantFrom(null, 'case-1', 'case-2'),
        amountMinor: minor,
        discountMinor: minor,
        creditMinor: minor,
        taxMinor: minor,
      }),
    );
    fc.assert(
      fc.property(lines, (all) => {
        const { postings } = toInvoiceEntry(invoice(all));
        let debits = 0n;
        let credits = 0n;
        for (const { debitMinor, creditMinor } of postings) {
          expect([debitMinor, creditMinor].filter((amount) => amount > 0n)).toHaveLength(1);
          debits += debitMinor;
          credits += creditMinor;
        }
        expect(debits).toBe(credits);
      }),
    );
  });
});
