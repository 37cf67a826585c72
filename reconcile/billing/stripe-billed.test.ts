import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../domain/canonical.ts';
import { parsePeriod } from '../../domain/period.ts';
import { list, listen, type Answer, type Seen } from '../testing/recorded-stripe.ts';
import { bearsOn } from './stripe-billed.ts';

const period = parsePeriod('2026-10');
const start = period.startAtMs / 1000;
const end = period.endAtMs / 1000;
const ref = { account: 'acme', customer: 'cus_1' };
const page = (data: unknown[], more = false) => ({ object: 'list', data, has_more: more, url: '/' });

const price = {
  id: 'price_1',
  object: 'price',
  lookup_key: 'actions-business-2026-01',
  recurring: { meter: 'mtr_1', usage_type: 'metered' },
};
const subscription = {
  id: 'sub_1',
  object: 'subscription',
  status: 'active',
  currency: 'usd',
  billing_mode: { type: 'classic' },
  pause_collection: null,
  canceled_at: null,
  items: page([{ id: 'si_1', object: 'subscription_item', price }]),
};

const line = (id: string, change: object = {}) => ({
  id,
  object: 'line_item',
  amount: 1000,
  currency: 'usd',
  quantity: 2,
  quantity_decimal: '2000000.000000000000',
  period: { start, end },
  metadata: {},
  discount_amounts: [{ amount: 100, discount: 'di_1' }],
  pretax_credit_amounts: [
    { amount: 100, type: 'discount', discount: 'di_1' },
    { amount: 50, type: 'credit_balance_transaction', credit_balance_transaction: 'cbtxn_1' },
  ],
  taxes: [
    { amount: 85, tax_behavior: 'exclusive', taxable_amount: 850, type: 'tax_rate_details' },
    { amount: 7, tax_behavior: 'inclusive', taxable_amount: 850, type: 'tax_rate_details' },
  ],
  pricing: { price_details: { price: 'price_1', product: 'prod_1' }, unit_amount_decimal: '0.0005' },
  parent: {
    type: 'subscription_item_details',
    subscription_item_details: { subscription_item: 'si_1', proration: false, invoice_item: null },
    invoice_item_details: null,
  },
  ...change,
});
const itemParent = (proration: boolean) => ({
  type: 'invoice_item_details',
  invoice_item_details: { invoice_item: 'ii_1', proration },
  subscription_item_details: null,
});
const oneOff = { pricing: { price_details: { price: 'price_made_up', product: 'prod_2' } } };

const invoice = (change: object = {}) => ({
  id: 'in_1',
  object: 'invoice',
  number: 'A-1',
  status: 'open',
  billing_reason: 'subscription_cycle',
  customer: 'cus_1',
  customer_email: 'someone@example.test',
  customer_name: 'Someone',
  customer_address: { line1: 'Somewhere 1' },
  currency: 'usd',
  created: end,
  due_date: null,
  metadata: { trueup_case: 'case-7', note: 'ask Someone' },
  parent: { type: 'subscription_details', subscription_details: { subscription: 'sub_1' } },
  period_start: start,
  period_end: end,
  last_finalization_error: null,
  status_transitions: { finalized_at: end + 3600 },
  subtotal: 1000,
  total_discount_amounts: [{ amount: 100, discount: 'di_1' }],
  total_pretax_credit_amounts: [
    { amount: 100, type: 'discount' },
    { amount: 50, type: 'credit_balance_transaction' },
  ],
  total_taxes: [{ amount: 85, tax_behavior: 'exclusive', taxable_amount: 850 }],
  total: 935,
  amount_due: 935,
  amount_paid: 900,
  amount_remaining: 35,
  amount_overpaid: 0,
  pre_payment_credit_notes_amount: 0,
  post_payment_credit_notes_amount: 0,
  lines: page([line('il_1')]),
  payments: page([
    {
      id: 'inpay_1',
      object: 'invoice_payment',
      status: 'paid',
      amount_paid: 900,
      amount_requested: 935,
      payment: { type: 'payment_record' },
      status_transitions: { paid_at: end + 7200, canceled_at: null },
    },
  ]),
  ...change,
});

const answers = (given: { invoices?: unknown[]; others?: (seen: Seen) => Answer | undefined }) => (seen: Seen) => {
  const other = given.others?.(seen);
  if (other !== undefined) return other;
  if (seen.path.startsWith('/v1/subscriptions')) return list([subscription]);
  if (seen.path.startsWith('/v1/billing/meters'))
    return list([{ id: 'mtr_1', event_name: 'actions', status: 'active' }]);
  if (seen.path.startsWith('/v1/prices/')) return { body: { id: 'price_made_up', lookup_key: null, recurring: null } };
  return list(given.invoices ?? [invoice()]);
};

describe('what Stripe holds for an account', () => {
  test('is read in two calls, and one more for the meters once in a process', async () => {
    const { billing, seen } = await listen(answers({}));
    const held = await billing.fetchAccountBilling(ref, period);
    await billing.fetchAccountBilling(ref, period);
    expect(seen.map(({ path }) => path.replace(/\?.*/, ''))).toEqual([
      '/v1/subscriptions',
      '/v1/invoices',
      '/v1/billing/meters',
      '/v1/subscriptions',
      '/v1/invoices',
    ]);
    expect(held.subscriptions).toEqual([
      {
        id: 'sub_1',
        status: 'active',
        billingMode: 'classic',
        currency: 'usd',
        items: [{ id: 'si_1', priceId: 'actions-business-2026-01' }],
        collectionPaused: false,
        canceledAtMs: null,
      },
    ]);
  });

  test('has every amount of an invoice, and ties out', async () => {
    const { billing } = await listen(answers({}));
    const [held] = (await billing.fetchAccountBilling(ref, period)).invoices;
    expect(held).toMatchObject({ status: 'open', caseId: 'case-7', subscription: 'sub_1', finalizationError: null });
    const { subtotalMinor = 0n, discountMinor = 0n, creditMinor = 0n, taxMinor = 0n, totalMinor } = held ?? {};
    expect(subtotalMinor - discountMinor - creditMinor + taxMinor).toBe(totalMinor);
    expect(held?.lines).toMatchObject([
      {
        kind: 'usage',
        meter: 'actions',
        priceId: 'actions-business-2026-01',
        itemId: 'si_1',
        quantity: 2_000_000n,
        amountMinor: 1000n,
        discountMinor: 100n,
        creditMinor: 50n,
        taxMinor: 85n,
      },
    ]);
    expect(held?.payments).toMatchObject([{ status: 'paid', amountMinor: 900n, outOfBand: true }]);
  });

  test('is kept as evidence without names, mail, addresses and what others wrote', async () => {
    const { billing } = await listen(answers({}));
    const [held] = (await billing.fetchAccountBilling(ref, period)).invoices;
    const kept = canonicalJson(held?.snapshot ?? null);
    expect(kept).toContain('case-7');
    expect(kept).not.toMatch(/Someone|example\.test|Somewhere/);
  });

  test.each([
    ['the plan fee', { metadata: { kind: 'plan_fee' }, parent: itemParent(false), ...oneOff }, 'plan_fee', null],
    [
      'a correction',
      { metadata: { trueup_case: 'c', meter: 'actions' }, parent: itemParent(false), ...oneOff },
      'repair',
      'actions',
    ],
    ['usage before a price change', { parent: itemParent(false) }, 'proration', 'actions'],
    ['a flagged proration', { parent: itemParent(true), ...oneOff }, 'proration', null],
    ['anything else', { parent: itemParent(false), ...oneOff }, 'other', null],
  ])('tells %s by its origin', async (_what, change, kind, meter) => {
    const { billing } = await listen(answers({ invoices: [invoice({ lines: page([line('il_1', change)]) })] }));
    const [held] = (await billing.fetchAccountBilling(ref, period)).invoices;
    expect(held?.lines).toMatchObject([{ kind, meter }]);
  });

  test('pages lines and lists credit notes only where there are more', async () => {
    const long = invoice({ lines: page([line('il_1')], true), post_payment_credit_notes_amount: 5 });
    const note = {
      id: 'cn_1',
      object: 'credit_note',
      invoice: 'in_1',
      number: 'A-1-CN-01',
      status: 'issued',
      type: 'post_payment',
      total: 5,
      created: end,
      metadata: { trueup_case: 'case-8' },
    };
    const { billing } = await listen(
      answers({
        invoices: [long],
        others: ({ path }) => {
          if (path.includes('/lines')) return list(Array.from({ length: 12 }, (_, index) => line(`il_${index}`)));
          return path.startsWith('/v1/credit_notes') ? list([note]) : undefined;
        },
      }),
    );
    const [held] = (await billing.fetchAccountBilling(ref, period)).invoices;
    expect(held?.lines).toHaveLength(12);
    expect(held?.creditNotes).toMatchObject([{ kind: 'post_payment', amountMinor: 5n, caseId: 'case-8' }]);
  });
});

describe('an invoice bears on one period only', () => {
  const next = parsePeriod('2026-11');
  const at = (change: object, lines: object[] = []) =>
    ({ invoice: invoice({ metadata: {}, ...change }), lines }) as never;
  const manual = { billing_reason: 'manual' };
  const day = 86_400;
  test.each([
    ['a cycle, on the period it ends', at({}), true, false],
    [
      'a re-issue, on the period it names',
      at({ metadata: { trueup_period: '2026-10' }, created: end + 90 * day }),
      true,
      false,
    ],
    ['a manual one, on the period of its lines', at({ ...manual, created: end + day }, [line('l')]), true, false],
    ['one of no extent, on the month collected then', at({ ...manual, created: end + 2 * day }), true, false],
    ['and later, on the next', at({ ...manual, created: end + 3 * day }), false, true],
  ])('%s', (_what, whole, october, november) => {
    expect([bearsOn(whole, period), bearsOn(whole, next)]).toEqual([october, november]);
  });
});
