import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Agreement } from '../../domain/agreement.ts';
import { parseDecimal } from '../../domain/decimal.ts';
import { DAY_MS, parsePeriod } from '../../domain/period.ts';
import { PLAN_IDS, termsAt, type PlanId, type Tier } from '../../domain/price-book.ts';
import { sumLines } from '../../domain/rating.ts';
import { computeRerating, computeUsageCorrection, scaleHours, type BulkAccount, type NewTiers } from './bulk-money.ts';

const period = parsePeriod('2026-10');
const MILLION = 10_000_000n;
const terms = (planId: PlanId) => termsAt('acme', planId, [], period.startAtMs);
const whole = (planId: PlanId): Agreement['segments'][number] => ({
  startAtMs: period.startAtMs,
  endAtMs: period.endAtMs,
  terms: terms(planId),
  standing: 'active',
});
const hour = (quantity: bigint, atMs = period.startAtMs) => ({ meter: 'actions' as const, hourAtMs: atMs, quantity });
const actions = (quantity: bigint, account = 'acme') => ({ ...hour(quantity), account });
const account = (planId: PlanId, used: bigint, over: Partial<Agreement> = {}): BulkAccount => ({
  agreement: {
    account: 'acme',
    currency: 'usd',
    period,
    segments: [whole(planId)],
    discount: null,
    taxBasisPoints: null,
    commitmentMinor: null,
    grants: [],
    state: 'active',
    ...over,
  },
  closed: used === 0n ? [] : [hour(used)],
});

describe('taking usage back', () => {
  test('is worth what the account owes less, the share of the fee included', () => {
    const money = computeUsageCorrection({
      accounts: [account('developer', 10n * MILLION), account('developer', MILLION, { account: 'other' })],
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
          { what: 'actions', amountMinor: -10_000n },
          { what: 'plan_fee', amountMinor: -1_000n },
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

  test('raises what is missing of a commitment, and counts after the discount', () => {
    const of = (over: Partial<Agreement>) =>
      computeUsageCorrection({
        accounts: [account('developer', 10n * MILLION, over)],
        counted: [actions(10n * MILLION)],
        corrected: [],
      });
    expect(of({ commitmentMinor: 30_000n })).toMatchObject([{ beforeMinor: 55_000n, amountMinor: -25_000n }]);
    expect(of({ discount: { kind: 'percent', basisPoints: 1_000n } })).toMatchObject([{ amountMinor: -49_500n }]);
  });

  test('takes the price of the hour where the plan changed inside the period', () => {
    const middleMs = period.startAtMs + 15 * DAY_MS;
    const [first, second] = [
      { ...whole('developer'), endAtMs: middleMs },
      { ...whole('business'), startAtMs: middleMs },
    ];
    const changed = account('developer', MILLION, { segments: [first, second] });
    const late = { ...changed, closed: [hour(MILLION), hour(MILLION, middleMs)] };
    const minorOf = (atMs: number) =>
      computeUsageCorrection({
        accounts: [late],
        counted: [{ ...hour(MILLION, atMs), account: 'acme' }],
        corrected: [],
      })[0]?.parts.find(({ what }) => what === 'actions')?.amountMinor;
    // A million at $50 on developer; within business's allowance.
    expect([minorOf(period.startAtMs), minorOf(middleMs)]).toEqual([-5_000n, undefined]);
  });

  test('of more than was closed is refused loudly', () => {
    const more = { accounts: [account('developer', 5n)], counted: [actions(6n)], corrected: [] };
    expect(() => computeUsageCorrection(more)).toThrow('closed with less actions');
  });

  test('and putting it back again costs exactly the same, whatever the tiers', () => {
    const quantity = fc.bigInt(0n, 3_000n * MILLION);
    fc.assert(
      fc.property(fc.constantFrom(...PLAN_IDS), quantity, quantity, (planId, kept, taken) => {
        const all = { accounts: [account(planId, kept + taken)], counted: [actions(taken)], corrected: [] };
        const part = { accounts: [account(planId, kept)], counted: [], corrected: [actions(taken)] };
        const [back] = computeUsageCorrection(all);
        const [forth] = computeUsageCorrection(part);
        expect((back?.amountMinor ?? 0n) + (forth?.amountMinor ?? 0n)).toBe(0n);
        expect(sumLines(back?.parts ?? [])).toBe(back?.amountMinor ?? 0n);
      }),
    );
  });
});

test('a factor scales each hour and rounds half away from zero', () => {
  const scaled = scaleHours([actions(5n), actions(4n), actions(0n)], parseDecimal('0.5'));
  expect(scaled.map(({ quantity }) => quantity)).toEqual([3n, 2n, 0n]);
});

test('a price changed after the fact concerns those it changes something for', () => {
  const half: Tier = { upTo: null, unitAmount: parseDecimal('0.00025') };
  const tiers: NewTiers = new Map([['actions', [half]]]);
  const accounts = [account('developer', 10n * MILLION), account('developer', 0n, { account: 'idle' })];
  const money = computeRerating(accounts, tiers, 'half');
  expect(money).toMatchObject([{ account: 'acme', amountMinor: -27_500n, parts: [{ what: 'actions' }, {}] }]);
});
