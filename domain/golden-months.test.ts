// Months solved by the oracle, which shares no code with this room: two hands must come to the same minor unit.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { computeAgreement, type AgreementHistory, type Discount, type Effective, type Standing } from './agreement.ts';
import { parseDecimal } from './decimal.ts';
import type { ExpectedLine } from './expected-invoice.ts';
import { METERS, type MeterName } from './meter.ts';
import { parseCurrency } from './money.ts';
import { parsePeriod, toIso, type Period } from './period.ts';
import { parsePlanId } from './price-book.ts';
import { computeExpectedInvoice, computeGrantUse } from './rating-invoice.ts';
import type { MeterQuantities } from './rating.ts';

type Dated<T> = { from: string; value: T };
type GoldenMonth = {
  name: string;
  account: string;
  period: string;
  currency: string;
  agreement: {
    created: string;
    plans: Dated<string>[];
    contracts?: { from: string; meter: MeterName; tiers: { upTo: string | null; unitAmount: string }[] }[];
    fees?: { from: string; minimum: string; basisPoints: string }[];
    standings?: Dated<Standing>[];
    discounts?: Dated<{ basisPoints: string } | { amount: string } | null>[];
    taxes?: Dated<string>[];
    commitments?: Dated<string>[];
    grants?: { id: string; amount: string; priority: number; effective: string; expires: string | null }[];
    creditsUsed?: { grant: string; period: string; amount: string }[];
  };
  usage: { at: string; meter: MeterName; quantity: string }[];
  adjustments: { case: string; meter: MeterName | null; start: string; end: string; amount: string }[];
  expected: {
    segments: { start: string; end: string; standing: Standing; plan: string }[];
    lines: GoldenLine[];
    grants: { grant: string; amount: string }[];
    subtotal: string;
    discount: string;
    credit: string;
    tax: string;
    total: string;
  };
};
type GoldenLine = Partial<
  Record<'kind' | 'meter' | 'price' | 'case' | 'start' | 'end' | 'discount' | 'credit' | 'tax', string>
> & { quantity: string; amount: string };

const file = new URL('../fixtures/oracle/golden-months.json', import.meta.url);
const months = JSON.parse(readFileSync(file, 'utf8')) as GoldenMonth[];

const ms = (iso: string) => Date.parse(iso);
const dated = <T, V>(entries: Dated<T>[] | undefined, convert: (value: T) => V): Effective<V>[] =>
  (entries ?? []).map(({ from, value }) => ({ effectiveFromMs: ms(from), value: convert(value) }));

function toDiscount(value: { basisPoints: string } | { amount: string } | null): Discount | null {
  if (value === null) return null;
  if ('amount' in value) return { kind: 'amount', amountMinor: BigInt(value.amount) };
  return { kind: 'percent', basisPoints: BigInt(value.basisPoints) };
}

function toHistory({ account, currency, agreement }: GoldenMonth): AgreementHistory {
  return {
    account,
    currency: parseCurrency(currency),
    createdAtMs: ms(agreement.created),
    plans: dated(agreement.plans, parsePlanId),
    contracts: (agreement.contracts ?? []).map(({ from, meter, tiers }) => ({
      meter,
      effectiveFromMs: ms(from),
      tiers: tiers.map(({ upTo, unitAmount }) => ({
        upTo: upTo === null ? null : BigInt(upTo),
        unitAmount: parseDecimal(unitAmount),
      })),
    })),
    fees: (agreement.fees ?? []).map(({ from, minimum, basisPoints }) => ({
      effectiveFromMs: ms(from),
      minimumMinor: BigInt(minimum),
      basisPoints: BigInt(basisPoints),
    })),
    standings: dated(agreement.standings, (standing) => standing),
    discounts: dated(agreement.discounts, toDiscount),
    taxes: dated(agreement.taxes, BigInt),
    commitments: dated(agreement.commitments, BigInt),
    grants: (agreement.grants ?? []).map(({ id, amount, priority, effective, expires }) => ({
      id,
      amountMinor: BigInt(amount),
      priority,
      effectiveAtMs: ms(effective),
      expiresAtMs: expires === null ? null : ms(expires),
    })),
    creditsUsed: (agreement.creditsUsed ?? []).map(({ grant, period, amount }) => ({
      grantId: grant,
      period,
      amountMinor: BigInt(amount),
    })),
  };
}

function usedWithin(month: GoldenMonth, segment: { startAtMs: number; endAtMs: number }): MeterQuantities {
  const sums: Record<MeterName, bigint> = { actions: 0n, active_storage: 0n, retained_storage: 0n };
  for (const { at, meter, quantity } of month.usage) {
    if (ms(at) >= segment.startAtMs && ms(at) < segment.endAtMs) sums[meter] += BigInt(quantity);
  }
  return sums;
}

/** The oracle leaves out what goes without saying. */
function toGolden(line: ExpectedLine, period: Period): GoldenLine {
  const iso = (atMs: number) => toIso(atMs).replace('.000Z', 'Z');
  const unlessZero = (name: 'discount' | 'credit' | 'tax', minor: bigint) =>
    minor === 0n ? {} : { [name]: minor.toString() };
  return {
    ...(line.kind === 'usage' ? {} : { kind: line.kind }),
    ...(line.meter === null ? {} : { meter: line.meter }),
    ...(line.priceId === null ? {} : { price: line.priceId }),
    ...(line.caseId === null ? {} : { case: line.caseId }),
    ...(line.startAtMs === period.startAtMs ? {} : { start: iso(line.startAtMs) }),
    ...(line.endAtMs === period.endAtMs ? {} : { end: iso(line.endAtMs) }),
    quantity: line.quantity.toString(),
    amount: line.amountMinor.toString(),
    ...unlessZero('discount', line.discountMinor),
    ...unlessZero('credit', line.creditMinor),
    ...unlessZero('tax', line.taxMinor),
  };
}

test.each(months)('$name', (month) => {
  const period = parsePeriod(month.period);
  const agreement = computeAgreement(toHistory(month), period);
  const usage = agreement.segments.map((segment) => usedWithin(month, segment));
  const adjustments = month.adjustments.map(({ case: caseId, meter, start, end, amount }) => ({
    caseId,
    meter,
    startAtMs: ms(start),
    endAtMs: ms(end),
    amountMinor: BigInt(amount),
  }));
  const invoice = computeExpectedInvoice(agreement, usage, adjustments);
  const grants = computeGrantUse(invoice, agreement.grants);
  const { expected } = month;
  expect(
    agreement.segments.map(({ startAtMs, endAtMs, standing, terms }) => [startAtMs, endAtMs, standing, terms.planId]),
  ).toEqual(expected.segments.map(({ start, end, standing, plan }) => [ms(start), ms(end), standing, plan]));
  expect(invoice.lines.map((line) => toGolden(line, period))).toEqual(expected.lines);
  expect(grants.map(({ grantId, amountMinor }) => ({ grant: grantId, amount: amountMinor.toString() }))).toEqual(
    expected.grants,
  );
  expect([
    invoice.subtotalMinor,
    invoice.discountMinor,
    invoice.creditMinor,
    invoice.taxMinor,
    invoice.totalMinor,
  ]).toEqual([expected.subtotal, expected.discount, expected.credit, expected.tax, expected.total].map(BigInt));
});

test('the golden months cover every kind of line and every number of decimals', () => {
  const kinds = new Set(months.flatMap(({ expected }) => expected.lines.map((line) => line.kind ?? 'usage')));
  expect([...kinds].sort()).toEqual(['adjustment', 'commitment', 'plan_fee', 'proration', 'usage']);
  expect(new Set(months.map(({ currency }) => currency))).toEqual(new Set(['usd', 'jpy', 'kwd', 'eur']));
  expect(new Set(months.flatMap(({ usage }) => usage.map(({ meter }) => meter)))).toEqual(new Set(METERS));
});
