import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { METERS } from '../../domain/meter.ts';
import { HOUR_MS, parsePeriod } from '../../domain/period.ts';
import { PLAN_IDS, termsAt, type PlanId } from '../../domain/price-book.ts';
import { sumLines } from '../../domain/rating.ts';
import type { AccountBilling } from '../billing/port.ts';
import { billedInvoice } from '../testing/billed-invoice.ts';
import { computeBulkHash, computeRerating, computeUsageCorrection, planBulk, type BulkAccount } from './bulk.ts';

const period = parsePeriod('2026-10');
const MILLION = 10_000_000n;
const terms = (planId: PlanId) => termsAt('acme', planId, [], period.startAtMs);
const account = (planId: PlanId, actions: bigint, name = 'acme'): BulkAccount => ({
  account: name,
  currency: 'usd',
  terms: terms(planId),
  closed: { actions, active_storage: 0n, retained_storage: 0n },
});
const actions = (quantity: bigint, name = 'acme') => ({ account: name, meter: 'actions' as const, quantity });

describe('taking usage back', () => {
  test('is worth what the account owes less, the share of the fee included', () => {
    const money = computeUsageCorrection({
      accounts: [account('developer', 10n * MILLION), account('developer', MILLION, 'other')],
      counted: [actions(MILLION), actions(MILLION)],
      corrected: [],
    });
    expect(money).toEqual([
      {
        account: 'acme',
        currency: 'usd',
        beforeMinor: 55_000n,
        afterMinor: 44_000n,
        amountMinor: -11_000n,
        parts: [
          { meter: 'actions', amountMinor: -10_000n },
          { meter: null, amountMinor: -1_000n },
        ],
      },
    ]);
  });

  test('is worth nothing below the minimum fee and within the allowance', () => {
    const [money] = computeUsageCorrection({
      accounts: [account('business', MILLION)],
      counted: [actions(MILLION / 2n)],
      corrected: [],
    });
    expect(money).toMatchObject({ amountMinor: 0n, parts: [] });
  });

  test('of more than was closed is refused loudly', () => {
    const more = { accounts: [account('developer', 5n)], counted: [actions(6n)], corrected: [] };
    expect(() => computeUsageCorrection(more)).toThrow('closed with less actions');
  });

  test('and putting it back again costs exactly the same, whatever the tiers', () => {
    const quantity = fc.bigInt(0n, 3_000n * MILLION);
    fc.assert(
      fc.property(fc.constantFrom(...PLAN_IDS), quantity, quantity, (planId, kept, taken) => {
        const whole = { accounts: [account(planId, kept + taken)], counted: [actions(taken)], corrected: [] };
        const part = { accounts: [account(planId, kept)], counted: [], corrected: [actions(taken)] };
        const [back] = computeUsageCorrection(whole);
        const [forth] = computeUsageCorrection(part);
        expect((back?.amountMinor ?? 0n) + (forth?.amountMinor ?? 0n)).toBe(0n);
        expect(sumLines(back?.parts ?? [])).toBe(back?.amountMinor ?? 0n);
      }),
    );
  });
});

test('a price changed after the fact concerns those it changes something for', () => {
  const half = { upTo: null, unitAmount: { units: 25n, scale: 5 } };
  const contract = { meter: 'actions' as const, effectiveFromMs: period.startAtMs, tiers: [half] };
  const money = computeRerating([account('developer', 10n * MILLION), account('developer', 0n, 'idle')], (of) =>
    termsAt(of.account, of.terms.planId, [contract], period.startAtMs),
  );
  expect(money).toMatchObject([{ account: 'acme', amountMinor: -27_500n }]);
  expect(METERS).toContain(money[0]?.parts[0]?.meter);
});

describe('a bulk plan', () => {
  const holding = (status: 'draft' | 'open', totalMinor: bigint): AccountBilling => ({
    customer: 'cus_1',
    currency: 'usd',
    subscriptions: [],
    invoices: [
      billedInvoice(period, { status, totalMinor, subtotalMinor: totalMinor, amountRemainingMinor: totalMinor }),
    ],
  });
  const money = (name: string, amountMinor: bigint) => ({
    account: name,
    currency: 'usd' as const,
    beforeMinor: 1000n,
    afterMinor: 1000n + amountMinor,
    amountMinor,
    parts: [],
  });

  test('gives money back where it was taken, and asks for more on the next invoice', () => {
    const bulk = planBulk({
      bulkId: 'double-count',
      period,
      reason: 'a source counted twice',
      money: [
        money('credited', -200n),
        money('charged', 200n),
        money('held', -200n),
        money('used-up', -2000n),
        money('unread', 1n),
        money('same', 0n),
      ],
      billing: new Map([
        ['credited', holding('open', 1000n)],
        ['charged', holding('open', 1000n)],
        ['held', holding('draft', 1000n)],
        ['used-up', holding('open', 1000n)],
      ]),
      nowMs: period.endAtMs + 72 * HOUR_MS,
    });
    const kinds = bulk.entries.map(({ money: of, planned }) => [
      of.account,
      planned.ok ? planned.plan.kind : planned.why,
    ]);
    expect(kinds).toEqual([
      ['credited', 'credit_note'],
      ['charged', 'next_period'],
      ['held', 'invoice_item'],
      ['used-up', 'next_period'],
      ['unread', 'what the biller holds of it was not read'],
    ]);
    expect(bulk.totals).toEqual([{ currency: 'usd', accounts: 4, amountMinor: -2200n }]);
    const held = bulk.entries[2]?.planned;
    expect(held?.ok === true && held.plan.steps.map(({ action }) => action)).toEqual(['add_item']);
  });

  test('is approved by a hash that no order changes and every plan does', () => {
    expect(computeBulkHash(['a', 'b'])).toBe(computeBulkHash(['b', 'a']));
    expect(computeBulkHash(['a', 'b'])).not.toBe(computeBulkHash(['a']));
  });
});
