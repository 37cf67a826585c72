import { describe, expect, test } from 'vitest';
import type { Account } from '../../accounts/door.ts';
import { computeAgreement, type AgreementHistory } from '../../domain/agreement.ts';
import { TrueupError } from '../../domain/contracts/errors.ts';
import { nextPeriod, parsePeriod, type Period } from '../../domain/period.ts';
import { PLANS } from '../../domain/price-book.ts';
import type { BilledInvoice, BilledLine, BillingInvoices } from '../billing/port.ts';
import { createMemoryUsage } from '../testing/memory-usage.ts';
import { fetchAccrual, fetchJournal, fetchRollForward } from './readers.ts';

const october = parsePeriod('2026-10');
const november = nextPeriod(october);
const day = 86_400_000;

const history = (account: string): AgreementHistory => ({
  account,
  currency: 'usd',
  createdAtMs: october.startAtMs,
  plans: [{ effectiveFromMs: october.startAtMs, value: 'developer' }],
  contracts: [],
  fees: [],
  standings: [],
  discounts: [],
  taxes: [],
  commitments: [],
  grants: [{ id: 'prepaid', amountMinor: 500n, priority: 0, effectiveAtMs: october.startAtMs, expiresAtMs: null }],
  creditsUsed: [{ grantId: 'prepaid', period: '2026-10', amountMinor: 500n }],
});
const histories = [history('acme'), history('bolt')];
const accountOf = ({ account: id, currency, createdAtMs }: AgreementHistory): Account => ({
  id,
  currency,
  createdAtMs,
  terms: { planId: 'developer', prices: PLANS.developer.prices, fee: PLANS.developer.fee },
  stripe: { customer: `cus_${id}`, subscription: `sub_${id}` },
});

const line = (kind: BilledLine['kind'], period: Period, amountMinor: bigint, creditMinor = 0n): BilledLine => ({
  id: `il_${kind}`,
  kind,
  meter: kind === 'usage' ? 'actions' : null,
  priceId: null,
  itemId: null,
  caseId: kind === 'repair' ? 'case-1' : null,
  startAtMs: period.startAtMs,
  endAtMs: period.endAtMs,
  quantity: 1n,
  amountMinor,
  discountMinor: 0n,
  creditMinor,
  taxMinor: 0n,
});
function invoice(id: string, lines: readonly BilledLine[], over: Partial<BilledInvoice> = {}): BilledInvoice {
  const sum = (of: (one: BilledLine) => bigint) => lines.reduce((total, one) => total + of(one), 0n);
  const subtotalMinor = sum((one) => one.amountMinor);
  const creditMinor = sum((one) => one.creditMinor);
  return {
    id,
    number: null,
    status: 'open',
    billingReason: 'subscription_cycle',
    subscription: 'sub_acme',
    currency: 'usd',
    createdAtMs: october.endAtMs,
    finalizedAtMs: october.endAtMs + 2 * day,
    dueAtMs: null,
    caseId: null,
    finalizationError: null,
    subtotalMinor,
    discountMinor: 0n,
    creditMinor,
    taxMinor: 0n,
    totalMinor: subtotalMinor - creditMinor,
    amountDueMinor: 0n,
    amountPaidMinor: 0n,
    amountRemainingMinor: 0n,
    amountOverpaidMinor: 0n,
    lines,
    payments: [],
    creditNotes: [],
    snapshot: {},
    ...over,
  };
}

const charged = [line('usage', october, 5_000n, 500n), line('plan_fee', october, 500n)];
const note = {
  id: 'cn_1',
  number: null,
  kind: 'pre_payment' as const,
  caseId: 'case-2',
  createdAtMs: october.endAtMs + 5 * day,
};
const invoices = [
  invoice('in_october', charged, {
    creditNotes: [
      { ...note, status: 'issued', amountMinor: 100n },
      { ...note, id: 'cn_2', status: 'void', amountMinor: 7n },
    ],
  }),
  invoice('in_void', charged, { status: 'void' }),
  invoice('in_november', [line('repair', october, 77n), line('usage', november, 900n)], {
    finalizedAtMs: null,
    status: 'draft',
  }),
];
const fetchAccountBilling: BillingInvoices['fetchAccountBilling'] = async ({ account, customer }) => {
  if (account !== 'acme') {
    throw new TrueupError({ kind: 'unavailable', code: 'STRIPE_UNAVAILABLE', message: 'no answer' });
  }
  return Promise.resolve({ customer, currency: 'usd', subscriptions: [], invoices });
};
const deps = {
  accounts: {
    fetchAccounts: async () => Promise.resolve(histories.map(accountOf)),
    fetchAgreements: async (period: Period) => Promise.resolve(histories.map((one) => computeAgreement(one, period))),
    fetchHistories: async () => Promise.resolve(histories),
  },
  // One million actions in October, 0.2 million in November.
  usage: createMemoryUsage([
    { account: 'acme', meter: 'actions', hourAtMs: october.startAtMs + day, quantity: 10_000_000n },
    { account: 'acme', meter: 'actions', hourAtMs: november.startAtMs + day, quantity: 2_000_000n },
  ]),
  billing: { fetchAccountBilling },
};

describe('accounting reads', () => {
  test('accrue both open periods, and name the account that could not be read', async () => {
    const request = (atMs: number) => ({
      atMs,
      periods: [october, november].map((period) => ({ period, closed: false })),
      adjustments: new Map(),
    });
    const unbilled = async (atMs: number) =>
      (await fetchAccrual(deps, request(atMs))).rows.map(({ period, unbilledMinor }) => [period, unbilledMinor]);
    // $50 of actions and $5 of fee, $5 of which prepaid credit pays.
    expect(await unbilled(october.endAtMs + day)).toEqual([
      ['2026-10', 5_000n],
      ['2026-11', 0n],
    ]);
    // Finalized on the 3rd; November's draft is no invoice yet.
    expect(await unbilled(october.endAtMs + 4 * day)).toEqual([
      ['2026-10', 0n],
      ['2026-11', 1_100n],
    ]);
    expect((await fetchAccrual(deps, request(october.endAtMs))).failed).toEqual([
      { account: 'bolt', period: '2026-10', code: 'STRIPE_UNAVAILABLE' },
      { account: 'bolt', period: '2026-11', code: 'STRIPE_UNAVAILABLE' },
    ]);
  });

  test('post finalized invoices of the period and issued credit notes, nothing void and no draft', async () => {
    const { rows } = await fetchJournal(deps, october);
    expect(rows.map(({ id, kind }) => [id, kind])).toEqual([
      ['in_october', 'invoice'],
      ['cn_1', 'credit_note'],
    ]);
    expect((await fetchJournal(deps, november)).rows).toEqual([]);
  });

  test('roll prepaid credit forward from one month into the next', async () => {
    const closing = async (period: Period) =>
      (await fetchRollForward(deps, period)).map(({ account, closingMinor }) => [account, closingMinor]);
    expect(await closing(october)).toEqual([
      ['acme', 0n],
      ['bolt', 0n],
    ]);
    expect(await closing(november)).toEqual([]);
  });
});
