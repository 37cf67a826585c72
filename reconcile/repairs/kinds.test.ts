import { describe, expect, test } from 'vitest';
import type { RepairKind } from '../../domain/contracts/break-codes.ts';
import { HOUR_MS, parsePeriod } from '../../domain/period.ts';
import type { AccountBilling, BilledInvoice } from '../billing/port.ts';
import { billedInvoice } from '../testing/billed-invoice.ts';
import { planRepair, type RepairChoice, type RepairInput } from './plan.ts';
import { findMoved } from './standing.ts';
import { describeStep } from './steps.ts';

const period = parsePeriod('2026-10');
const settle = period.endAtMs + 72 * HOUR_MS;

const invoice = (change: Partial<BilledInvoice> = {}) => billedInvoice(period, change);

const holding = (...invoices: BilledInvoice[]): AccountBilling => ({
  customer: 'cus_1',
  currency: 'usd',
  subscriptions: [],
  invoices,
});

type Given = { code?: RepairInput['correction']['code']; amountMinor?: bigint } & Partial<
  Omit<RepairInput, 'correction' | 'choice'>
>;

function plan(kind: RepairKind, { code, amountMinor, ...given }: Given = {}, choice: Partial<RepairChoice> = {}) {
  return planRepair({
    correction: {
      caseId: '2026-10.acme.QTY_MISMATCH.actions.usd',
      code: code ?? 'QTY_MISMATCH',
      account: 'acme',
      meter: 'actions',
      currency: 'usd',
      amountMinor: amountMinor ?? -200n,
      hours: [period.startAtMs],
    },
    choice: { kind, reason: 'charged twice', ...choice },
    period,
    subscription: 'sub_1',
    billing: holding(invoice()),
    ownHours: new Map([
      [period.startAtMs, 7n],
      [period.startAtMs + HOUR_MS, 5n],
    ]),
    expected: [
      { meter: 'actions', amountMinor: '700', description: 'Actions' },
      { meter: null, amountMinor: '70', description: 'Plan fee' },
    ],
    otherBreaks: 0,
    nowMs: settle,
    ...given,
  });
}

const planned = (...of: Parameters<typeof plan>) => {
  const result = plan(...of);
  if (!result.ok) throw new Error(result.why);
  return result.plan;
};

describe('a plan', () => {
  test('sends hours again, and lets the held draft out when nothing else holds it', () => {
    const billing = holding(invoice({ status: 'draft' }));
    const resend = planned('resend_hour', { code: 'USAGE_NOT_SENT', amountMinor: 300n, billing });
    expect(resend.steps).toEqual([
      { action: 'resend_hours', meter: 'actions', hours: [{ hourAtMs: period.startAtMs, quantity: '7' }], total: '12' },
      { action: 'finalize', invoice: 'in_1' },
    ]);
    expect([resend.before.chargedMinor, resend.after.chargedMinor]).toEqual(['1000', '1300']);
    const held = planned('resend_hour', { code: 'USAGE_NOT_SENT', billing, otherBreaks: 1 });
    expect(held.steps.map(({ action }) => action)).toEqual(['resend_hours']);
  });

  test('credits a finalized invoice, and what a note takes off the rest of it', () => {
    const credit = planned('credit_note', { amountMinor: -1000n });
    expect(credit.steps).toEqual([{ action: 'credit', invoice: 'in_1', amountMinor: '1000', settle: 'balance' }]);
    expect(credit.after).toMatchObject({ chargedMinor: '0', invoices: [{ status: 'paid', creditedMinor: '1000' }] });
  });

  test('credits the tax that was charged on what is credited', () => {
    const taxed = invoice({ taxMinor: 190n, totalMinor: 1190n, amountRemainingMinor: 1190n });
    const credit = planned('credit_note', { amountMinor: -205n, billing: holding(taxed) });
    expect(credit.steps).toMatchObject([{ amountMinor: '244' }]);
    expect(credit.amountMinor).toBe('-205');
  });

  test('voids an invoice and issues what it should have been', () => {
    const reissue = planned('reissue', { amountMinor: -230n });
    expect(reissue.steps.map(({ action }) => action)).toEqual(['void', 'issue']);
    expect(reissue).toMatchObject({ amountMinor: '-230', after: { chargedMinor: '770' } });
  });

  test('voids one too many and puts nothing in its place, issues a missing one and voids nothing', () => {
    const twice = holding(invoice(), invoice({ id: 'in_2', billingReason: 'manual' }));
    const orphan = planned('reissue', { code: 'INVOICE_ORPHAN', billing: twice }, { invoice: 'in_2' });
    expect(orphan.steps).toEqual([{ action: 'void', invoice: 'in_2' }]);
    const missing = planned('reissue', { code: 'INVOICE_MISSING', amountMinor: 770n, billing: holding() });
    expect(missing).toMatchObject({ amountMinor: '770', steps: [{ action: 'issue', replaces: null }] });
  });

  test('carries money to the next invoice with a pointer back', () => {
    const next = planned('next_period', { code: 'USAGE_LATE', amountMinor: 420n });
    expect(next.steps).toMatchObject([{ action: 'add_item', invoice: null, amountMinor: '420' }]);
    expect(describeStep(next.steps[0] ?? { action: 'void', invoice: '' }, 'usd')).toBe(
      "put 4.20 usd on the customer's next invoice: Correction of actions for 2026-10 (2026-10.acme.QTY_MISMATCH.actions.usd) (POST /v1/invoiceitems)",
    );
    expect(next.after).toMatchObject({ nextInvoiceMinor: '420', chargedMinor: '1420' });
  });

  test('gives money up in our books, and at the biller where it was invoiced and never came', () => {
    expect(planned('write_off').steps).toEqual([]);
    expect(planned('write_off', { code: 'PAYMENT_MISSING' }).steps).toEqual([
      { action: 'mark_uncollectible', invoice: 'in_1' },
    ]);
  });

  const draft = holding(invoice({ status: 'draft' }));
  const paid = holding(invoice({ status: 'paid' }));
  type Refused = { kind: RepairKind; given?: Given; choice?: Partial<RepairChoice>; why: RegExp };
  const old = { code: 'USAGE_NOT_SENT' as const, billing: draft, nowMs: period.endAtMs + 30 * 24 * HOUR_MS };
  const several = { billing: holding(invoice(), invoice({ id: 'in_2' })) };
  test.each<[string, Refused]>([
    [
      'a repair its break does not allow',
      { kind: 'resend_hour', given: { code: 'ROUNDING' }, why: /does not repair ROUNDING/ },
    ],
    ['no reason', { kind: 'write_off', choice: { reason: ' ' }, why: /needs a reason/ }],
    [
      'a credit note for what was charged too little',
      { kind: 'credit_note', given: { amountMinor: 5n }, why: /not charged too much/ },
    ],
    [
      'a credit note over more than there is',
      { kind: 'credit_note', given: { amountMinor: -1001n }, why: /1000 minor units left/ },
    ],
    ['a credit note on a draft', { kind: 'credit_note', given: { billing: draft }, why: /choose invoice_item/ }],
    ['an item on a finalized invoice', { kind: 'invoice_item', why: /choose credit_note or next_period/ }],
    ['voiding what is paid', { kind: 'reissue', given: { billing: paid }, why: /only an unpaid/ }],
    [
      'usage for a finalized invoice',
      { kind: 'resend_hour', given: { code: 'USAGE_NOT_SENT' }, why: /changes it no more/ },
    ],
    ['hours too old to be metered', { kind: 'resend_hour', given: old, why: /too old/ }],
    ['one of several invoices unsaid', { kind: 'credit_note', given: several, why: /say which/ }],
    [
      'an invoice of somebody else',
      { kind: 'credit_note', choice: { invoice: 'in_9' }, why: /no invoice of this customer/ },
    ],
  ])('refuses %s, and says what to do', (_what, { kind, given, choice, why }) => {
    expect(plan(kind, given, choice)).toEqual({ ok: false, why: expect.stringMatching(why) as string });
  });
});

test('a plan is stale when an invoice changed its state or its total, and not when another repair credited it', () => {
  const { before } = planned('credit_note');
  const now = (change: object) => ({ ...before, invoices: before.invoices.map((one) => ({ ...one, ...change })) });
  expect(findMoved(before, now({ creditedMinor: '5' }))).toEqual([]);
  expect(findMoved(before, now({ status: 'void' }))).toEqual(['invoice in_1 was open, is void']);
  expect(findMoved(before, now({ totalMinor: '5' }))).toHaveLength(1);
  expect(findMoved(before, { ...before, invoices: [] })).toEqual(['invoice in_1 is gone']);
});
