import { describe, expect, test } from 'vitest';
import type { BreakCode } from '../../domain/contracts/break-codes.ts';
import type { MeterName } from '../../domain/meter.ts';
import { DAY_MS, HOUR_MS } from '../../domain/period.ts';
import { PLANS, type Price } from '../../domain/price-book.ts';
import { rateMeter } from '../../domain/rating.ts';
import type { BilledInvoice, BilledLine } from '../billing/port.ts';
import { compareAccount } from './account.ts';
import type { BillerSide, OwnSide } from './sides.ts';
import {
  agreeingLines,
  invoiceOf,
  period,
  sampleBiller,
  sampleOwn,
  subscription,
  termsOf,
  usage,
} from './testing/sides.ts';

type Row = [code: BreakCode, meter: MeterName | null, amountMinor: bigint];

const graceEnd = { nowMs: period.endAtMs + 48 * HOUR_MS };
const own = sampleOwn();
/** 140M tenths of an action on business: 250 + 225 − the part of the tier; 8.40 − … see the golden months. */
const totalMinor = own.expected.totalMinor;

function found(ours: OwnSide, biller: BillerSide, at = graceEnd): Row[] {
  return compareAccount(ours, biller, at).findings.map(({ code, meter, amountMinor }) => [code, meter, amountMinor]);
}

const billed = (ours: OwnSide, change: (line: BilledLine) => BilledLine, more: readonly BilledLine[] = []) =>
  found(ours, sampleBiller(ours, [invoiceOf([...agreeingLines(ours).map(change), ...more])]));
const withInvoice = (fields: Partial<BilledInvoice>, at = graceEnd, ours = own) =>
  found(ours, sampleBiller(ours, [invoiceOf(agreeingLines(ours), fields)]), at);
const same = (line: BilledLine) => line;
const first = (meter: MeterName, change: (line: BilledLine) => Partial<BilledLine>, lines = agreeingLines(own)) => {
  const id = lines.find((line) => line.meter === meter && line.amountMinor > 0n)?.id;
  return (line: BilledLine): BilledLine => (line.id === id ? { ...line, ...change(line) } : line);
};
const lineOf = (fields: Partial<BilledLine>): BilledLine => {
  const [line] = agreeingLines(own);
  if (line === undefined) throw new Error('the sample has lines');
  const plain = { kind: 'other', meter: null, priceId: null, itemId: null, caseId: null } as const;
  return { ...line, ...plain, quantity: 1n, amountMinor: 0n, ...fields };
};
/** Usage lines of one meter at a price and quantity of somebody's choice. */
const relined = (meter: MeterName, price: Price, quantity: bigint) => {
  const lines = rateMeter(price, quantity).map((line) =>
    lineOf({ kind: 'usage', meter, priceId: line.priceId, quantity: line.quantity, amountMinor: line.amountMinor }),
  );
  const rest = agreeingLines(own).filter((line) => line.meter !== meter);
  return found(own, sampleBiller(own, [invoiceOf([...rest, ...lines])]));
};
const actions = termsOf('business').prices.actions;

describe('leg L2', () => {
  const hour = period.startAtMs;
  const ours = { ...own, hours: { actions: new Map([[hour, usage.actions]]) }, holds: ['USAGE_DIFFERS'] };
  const sent = (quantity: bigint, at = graceEnd) =>
    found(
      ours,
      {
        ...sampleBiller(ours, [invoiceOf([], { status: 'draft' })]),
        summaries: { ...usage, actions: quantity },
        hours: { actions: new Map([[hour, quantity]]) },
      },
      at,
    );

  test('an hour that Stripe lacks is under-billed by what its quantity is worth', () => {
    // 10M tenths between 130M and 140M, at 0.0004 cents.
    expect(sent(130_000_000n)).toEqual([['USAGE_NOT_SENT', 'actions', 4_000n]]);
  });
  test('an hour that Stripe has too much of is over-billed', () => {
    expect(sent(150_000_000n)).toEqual([['USAGE_OVERSENT', 'actions', -4_000n]]);
  });
  test('a difference is expected until grace is over', () => {
    expect(sent(130_000_000n, { nowMs: graceEnd.nowMs - 1 })).toEqual([]);
    const open = compareAccount(ours, { ...sampleBiller(ours), summaries: { ...usage, actions: 1n } }, { nowMs: 0 });
    expect(open.expected[0]).toMatchObject({ what: 'summary', meter: 'actions', dueAtMs: graceEnd.nowMs });
  });
  test('a summary that was never read is unknown, and no break', () => {
    const { findings, expected } = compareAccount(own, { ...sampleBiller(own), summaries: {} }, graceEnd);
    expect(findings).toEqual([]);
    expect(expected.filter(({ what }) => what === 'summary').map(({ why }) => why)).toEqual(
      Array(3).fill('never read'),
    );
  });
  test('events that Stripe could not use are named by meter', () => {
    const meterErrors = [{ code: 'archived_meter', meter: 'actions' as const, events: 3 }];
    expect(found(own, { ...sampleBiller(own), meterErrors })).toEqual([['METER_ERROR', 'actions', 0n]]);
  });
});

describe('leg L3', () => {
  test('a wrong quantity is worth the difference, and tiers and amounts that follow from it are not told', () => {
    expect(relined('actions', actions, 130_000_000n)).toEqual([['QTY_MISMATCH', 'actions', 4_000n]]);
    expect(relined('actions', actions, 150_000_000n)).toEqual([['QTY_MISMATCH', 'actions', -4_000n]]);
  });
  test('a line of another period is a break of no money where it stands for the agreed one', () => {
    const moved = (line: BilledLine) =>
      line.meter === 'actions' ? { ...line, startAtMs: line.startAtMs + HOUR_MS } : line;
    expect(billed(own, moved)).toEqual([['PERIOD_MISMATCH', 'actions', 0n]]);
  });
  test('a further line of another period is charged too much in full', () => {
    const more = lineOf({
      kind: 'usage',
      meter: 'actions',
      priceId: actions.id,
      amountMinor: 70n,
      endAtMs: period.startAtMs,
      startAtMs: 0,
    });
    expect(billed(own, same, [more])).toEqual([['PERIOD_MISMATCH', 'actions', -70n]]);
  });
});

describe('leg L4', () => {
  test('another price is told even where it comes to the same amount', () => {
    const other = (line: BilledLine) => (line.meter === 'actions' ? { ...line, priceId: 'twin' } : line);
    expect(billed(own, other)).toEqual([['PRICE_MISMATCH', 'actions', 0n]]);
    // 140M at the developer's 0.0005 are 70,000; agreed are 25,000 + 22,500 + 6,000.
    expect(relined('actions', PLANS.developer.prices.actions, usage.actions)).toEqual([
      ['PRICE_MISMATCH', 'actions', 53_500n - 70_000n],
    ]);
  });
  test('an ignored first boundary is a tier', () => {
    const shifted = { ...actions, tiers: actions.tiers.slice(1) };
    expect(relined('actions', shifted, usage.actions)).toEqual([['TIER_MISMATCH', 'actions', -12_500n]]);
  });
  test('half a minor unit per rounded line is rounding, more is not', () => {
    const off = (by: bigint) =>
      billed(
        own,
        first('actions', (line) => ({ amountMinor: line.amountMinor - by })),
      );
    // Four lines: the allowance and three tiers.
    expect(off(2n)).toEqual([['ROUNDING', 'actions', 2n]]);
    expect(off(-2n)).toEqual([['ROUNDING', 'actions', -2n]]);
    expect(off(3n)).toEqual([['TIER_MISMATCH', 'actions', 3n]]);
  });
  test('a line of before a change is judged as a whole', () => {
    const changed = sampleOwn({ terms: [termsOf('developer'), termsOf('business')] });
    const off = (by: bigint) =>
      billed(
        changed,
        first('active_storage', (line) => ({ amountMinor: line.amountMinor + by }), agreeingLines(changed)),
      );
    expect(off(500n)).toEqual([['PRORATION_MISMATCH', 'active_storage', -500n]]);
    expect(off(1n)).toEqual([['ROUNDING', 'active_storage', -1n]]);
    const lines = agreeingLines(changed).filter(({ kind, meter }) => kind !== 'proration' || meter !== 'actions');
    expect(found(changed, sampleBiller(changed, [invoiceOf(lines)]))).toEqual([
      ['PRORATION_MISMATCH', 'actions', 70_000n],
    ]);
  });
});

describe('leg L5', () => {
  const fee = own.expected.lines.find(({ kind }) => kind === 'plan_fee')?.amountMinor ?? 0n;
  test('another fee is a tier, a missing, doubled or foreign item a quantity, both of no meter', () => {
    const feeLine = lineOf({ kind: 'plan_fee', amountMinor: fee });
    expect(billed(own, (line) => (line.kind === 'plan_fee' ? { ...line, amountMinor: fee - 5n } : line))).toEqual([
      ['TIER_MISMATCH', null, 5n],
    ]);
    expect(billed(own, same, [feeLine])).toEqual([['QTY_MISMATCH', null, -fee]]);
    expect(billed(own, same, [lineOf({ amountMinor: 7n })])).toEqual([['QTY_MISMATCH', null, -7n]]);
    expect(billed(own, same, [lineOf({ kind: 'repair', caseId: 'unknown', amountMinor: 7n })])).toEqual([
      ['QTY_MISMATCH', null, -7n],
    ]);
    const without = agreeingLines(own).filter(({ kind }) => kind !== 'plan_fee');
    expect(found(own, sampleBiller(own, [invoiceOf(without)]))).toEqual([['QTY_MISMATCH', null, fee]]);
  });
  test('an adjustment of an earlier period is expected by its case', () => {
    const span = { startAtMs: period.startAtMs, endAtMs: period.endAtMs };
    const adjusted = sampleOwn({ adjustments: [{ caseId: 'case-1', meter: 'actions', amountMinor: 40n, ...span }] });
    expect(billed(adjusted, same)).toEqual([]);
    expect(billed(adjusted, (line) => (line.kind === 'repair' ? { ...line, caseId: 'case-2' } : line))).toEqual([
      ['QTY_MISMATCH', null, 0n],
    ]);
  });
  test('discount, credit and tax are judged by the lines as charged', () => {
    const reduced = sampleOwn({
      discount: { kind: 'percent', basisPoints: 1_000n },
      taxBasisPoints: 2_000n,
      creditMinor: 900n,
    });
    const off = (field: 'discountMinor' | 'creditMinor' | 'taxMinor', by: bigint) =>
      billed(
        { ...reduced, taxBasisPoints: field === 'taxMinor' ? 2_000n : 0n, expected: withoutTax(reduced, field) },
        (line) => {
          const taxed = field === 'taxMinor' ? line : { ...line, taxMinor: 0n };
          return line.id === 'il_1' ? { ...taxed, [field]: taxed[field] + by } : taxed;
        },
      );
    expect(off('discountMinor', 600n)).toEqual([['DISCOUNT_CREDIT_MISMATCH', null, 600n]]);
    expect(off('creditMinor', -1n)).toEqual([['DISCOUNT_CREDIT_MISMATCH', null, -1n]]);
    expect(off('taxMinor', 600n)).toEqual([['TAX_MISMATCH', null, -600n]]);
    expect(off('taxMinor', 1n)).toEqual([['ROUNDING', null, -1n]]);
  });
  function withoutTax({ expected }: OwnSide, field: string): OwnSide['expected'] {
    if (field === 'taxMinor') return expected;
    const lines = expected.lines.map((line) => ({ ...line, taxMinor: 0n }));
    return { ...expected, lines, taxMinor: 0n, totalMinor: expected.totalMinor - expected.taxMinor };
  }
  test('what the wrong currency charges is nothing in the right one', () => {
    expect(withInvoice({ currency: 'eur' })).toEqual([['CURRENCY_MISMATCH', null, totalMinor]]);
  });
  test('a refused finalization is told at once, a draft once grace is over, a held one never', () => {
    const early = { nowMs: graceEnd.nowMs - 1 };
    expect(withInvoice({ status: 'draft', finalizationError: 'tax' }, early)).toEqual([
      ['FINALIZATION_FAILED', null, totalMinor],
    ]);
    expect(withInvoice({ status: 'draft' }, early)).toEqual([]);
    expect(withInvoice({ status: 'draft' })).toEqual([['INVOICE_STUCK_DRAFT', null, totalMinor]]);
    expect(withInvoice({ status: 'draft' }, graceEnd, { ...own, holds: ['ON_HOLD: chargeback'] })).toEqual([]);
  });
});

describe('leg L6', () => {
  const due = graceEnd.nowMs - 1;
  const paid = (amountMinor: bigint, outOfBand = false) => ({
    amountPaidMinor: amountMinor,
    payments: [{ id: 'pay_1', status: 'paid' as const, amountMinor, outOfBand, paidAtMs: 0 }],
  });
  test('nothing or too little by the due date; before it, either is expected', () => {
    expect(withInvoice({ dueAtMs: due })).toEqual([['PAYMENT_MISSING', null, totalMinor]]);
    expect(withInvoice({ dueAtMs: due, ...paid(100n) })).toEqual([['PAYMENT_PARTIAL', null, totalMinor - 100n]]);
    expect(withInvoice({ dueAtMs: due + DAY_MS })).toEqual([]);
    expect(withInvoice({ dueAtMs: null }, { nowMs: graceEnd.nowMs + 7 * DAY_MS })).toEqual([
      ['PAYMENT_MISSING', null, totalMinor],
    ]);
  });
  test('too much, and what was only marked as paid', () => {
    const status = 'paid' as const;
    expect(withInvoice({ status, ...paid(totalMinor + 9n), amountOverpaidMinor: 9n })).toEqual([
      ['PAYMENT_OVER', null, -9n],
    ]);
    expect(withInvoice({ status, ...paid(totalMinor, true) })).toEqual([['PAYMENT_OUT_OF_BAND', null, totalMinor]]);
    expect(withInvoice({ status, ...paid(totalMinor) })).toEqual([]);
  });
  test('what was voided or given up without a case', () => {
    const cases = [{ id: 'case-1', code: 'PAYMENT_MISSING' as const, meter: null, settledMinor: 0n }];
    for (const status of ['void', 'uncollectible'] as const) {
      expect(withInvoice({ status })).toEqual([['WRITE_OFF', null, totalMinor]]);
      expect(withInvoice({ status, caseId: 'case-1' }, graceEnd, { ...own, cases })).toEqual([]);
    }
  });
  test('a credit note that no case of ours explains', () => {
    const note = {
      id: 'cn_1',
      number: null,
      status: 'issued',
      kind: 'mixed',
      amountMinor: 30n,
      createdAtMs: 0,
    } as const;
    expect(withInvoice({ creditNotes: [{ ...note, caseId: null }] })).toEqual([['CREDIT_NOTE_UNEXPLAINED', null, 30n]]);
    expect(withInvoice({ creditNotes: [{ ...note, caseId: 'x', status: 'void' }] })).toEqual([]);
  });
});

describe('leg L7', () => {
  const invoice = invoiceOf(agreeingLines(own));
  const cycleDue = period.endAtMs + DAY_MS;
  test('no invoice is worth all that was agreed, once it is due', () => {
    expect(found(own, sampleBiller(own, []), { nowMs: cycleDue })).toEqual([['INVOICE_MISSING', null, totalMinor]]);
    expect(found(own, sampleBiller(own, []), { nowMs: cycleDue - 1 })).toEqual([]);
    const none = { ...own, state: 'none' as const, expected: { ...own.expected, lines: [], totalMinor: 0n } };
    const gone = sampleBiller(none, []);
    expect(found(none, { ...gone, billing: { ...gone.billing, subscriptions: [] } })).toEqual([]);
  });
  test('what was not sent is taken off a missing invoice, so that both are worth it together', () => {
    const biller = { ...sampleBiller(own, []), summaries: { ...usage, actions: 130_000_000n } };
    expect(found(own, biller)).toEqual([
      ['USAGE_NOT_SENT', 'actions', 4_000n],
      ['INVOICE_MISSING', null, totalMinor - 4_000n],
    ]);
  });
  test('a second cycle invoice and one that nobody asked for are charged too much in full', () => {
    const second = { ...invoice, id: 'in_2', createdAtMs: invoice.createdAtMs + 1 };
    expect(found(own, sampleBiller(own, [second, invoice]))).toEqual([['INVOICE_DUPLICATE', null, -totalMinor]]);
    const manual = invoiceOf([lineOf({ amountMinor: 55n })], {
      id: 'in_3',
      billingReason: 'manual',
      subscription: null,
    });
    expect(found(own, sampleBiller(own, [invoice, manual]))).toEqual([['INVOICE_ORPHAN', null, -55n]]);
  });
  test('a subscription in another state, in classic mode or with collection paused', () => {
    const drifted = (fields: object) => {
      const biller = sampleBiller(own);
      return found(own, { ...biller, billing: { ...biller.billing, subscriptions: [{ ...subscription, ...fields }] } });
    };
    expect(drifted({})).toEqual([]);
    expect(drifted({ status: 'past_due' })).toEqual([]);
    for (const fields of [
      { status: 'paused' },
      { billingMode: 'classic' },
      { collectionPaused: true },
      { id: 'sub_2' },
    ]) {
      expect(drifted(fields)).toEqual([['STATE_DRIFT', null, 0n]]);
    }
  });
});

describe('cases', () => {
  const known = { id: 'case-1', code: 'QTY_MISMATCH', meter: 'actions', settledMinor: 0n } as const;
  const short = agreeingLines(own).map(
    first('actions', (line) => ({ quantity: line.quantity - 10_000_000n, amountMinor: line.amountMinor - 4_000n })),
  );
  const item = lineOf({ kind: 'repair', meter: 'actions', caseId: 'case-1', amountMinor: 4_000n });
  const compared = (lines: readonly BilledLine[], cases: OwnSide['cases']) =>
    found({ ...own, cases }, sampleBiller(own, [invoiceOf(lines)]));

  test('an item for a case takes its break back; too much of it is a break the other way round', () => {
    const before = compared(short, [known]);
    expect(before).toEqual([['QTY_MISMATCH', 'actions', 4_000n]]);
    expect(compared([...short, item], [known])).toEqual([]);
    expect(compared([...short, item, item], [known])).toEqual([['QTY_MISMATCH', 'actions', -4_000n]]);
    expect(compared([...agreeingLines(own), item], [known])).toEqual([['QTY_MISMATCH', 'actions', -4_000n]]);
    expect(compared(short, [{ ...known, settledMinor: 4_000n }])).toEqual([]);
  });
  test('an invoice that replaces a voided one must come to the agreed total', () => {
    const cases = [{ ...known, code: 'CURRENCY_MISMATCH' as const, meter: null }];
    const voided = invoiceOf(agreeingLines(own), { status: 'void', caseId: 'case-1', currency: 'eur' });
    const issued = (amountMinor: bigint) =>
      invoiceOf([lineOf({ kind: 'repair', caseId: 'case-1', amountMinor })], {
        id: 'in_2',
        billingReason: 'manual',
        subscription: null,
        caseId: 'case-1',
      });
    const ours = { ...own, cases };
    expect(found(ours, sampleBiller(own, [voided]))).toEqual([]);
    expect(found(ours, sampleBiller(own, [voided, issued(totalMinor)]))).toEqual([]);
    expect(found(ours, sampleBiller(own, [voided, issued(totalMinor - 7n)]))).toEqual([
      ['CURRENCY_MISMATCH', null, 7n],
    ]);
  });
});
