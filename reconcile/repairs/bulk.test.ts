import { describe, expect, test } from 'vitest';
import { HOUR_MS, parsePeriod } from '../../domain/period.ts';
import type { AccountBilling } from '../billing/port.ts';
import { billedInvoice } from '../testing/billed-invoice.ts';
import { computeBulkHash, planBulk } from './bulk.ts';

const period = parsePeriod('2026-10');

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
        money('barred', 1n),
        money('same', 0n),
      ],
      billing: new Map([
        ['credited', holding('open', 1000n)],
        ['charged', holding('open', 1000n)],
        ['held', holding('draft', 1000n)],
        ['used-up', holding('open', 1000n)],
      ]),
      barred: new Map([['barred', 'it was corrected before']]),
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
      ['barred', 'it was corrected before'],
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
