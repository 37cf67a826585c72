import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { METERS } from '../../domain/meter.ts';
import { HOUR_MS } from '../../domain/period.ts';
import { PLAN_IDS } from '../../domain/price-book.ts';
import { rateMeter, sumLines } from '../../domain/rating.ts';
import type { BilledLine } from '../billing/port.ts';
import { compareAccount } from './account.ts';
import type { BillerSide, OwnSide } from './sides.ts';
import { agreeingLines, invoiceOf, period, sampleBiller, sampleOwn, termsOf } from './testing/sides.ts';

const at = { nowMs: period.endAtMs + 48 * HOUR_MS };
const later = { nowMs: period.endAtMs + 30 * 24 * HOUR_MS };
const quantity = fc.bigInt({ min: 0n, max: 2_000_000_000n });
const quantities = fc.record({ actions: quantity, active_storage: quantity, retained_storage: quantity });
const terms = fc.array(fc.constantFrom(...PLAN_IDS.map(termsOf)), { minLength: 1, maxLength: 3 });
const basisPoints = fc.bigInt({ min: 0n, max: 3_000n });

/** Any agreement: changes of plan, a percentage off, prepaid credit, tax, a commitment. */
const owns = fc
  .record({
    terms,
    discount: fc.option(basisPoints),
    tax: fc.option(basisPoints),
    credit: quantity,
    promised: fc.option(quantity),
  })
  .chain((of) =>
    fc.array(quantities, { minLength: of.terms.length, maxLength: of.terms.length }).map((used) =>
      sampleOwn({
        terms: of.terms,
        quantities: used,
        discount: of.discount === null ? null : { kind: 'percent', basisPoints: of.discount },
        taxBasisPoints: of.tax,
        creditMinor: of.credit,
        commitmentMinor: of.promised,
      }),
    ),
  );
const amount = fc.bigInt({ min: -100_000n, max: 100_000n });
const strayLine = fc.record({
  id: fc.constant('il_x'),
  kind: fc.constantFrom('usage', 'plan_fee', 'proration', 'repair', 'other'),
  meter: fc.constantFrom(...METERS, null),
  priceId: fc.constantFrom('actions-business-2026-01', 'active_storage-business-2026-01', 'other', null),
  itemId: fc.constantFrom('si_actions', 'si_other', null),
  caseId: fc.constantFrom(null, 'case-1'),
  startAtMs: fc.constantFrom(period.startAtMs, period.startAtMs + HOUR_MS),
  endAtMs: fc.constant(period.endAtMs),
  quantity,
  amountMinor: amount,
  discountMinor: amount,
  creditMinor: amount,
  taxMinor: amount,
}) satisfies fc.Arbitrary<BilledLine>;

const sum = (items: readonly { readonly amountMinor: bigint }[]) =>
  items.reduce((total, { amountMinor }) => total + amountMinor, 0n);
const codesOf = (own: OwnSide, biller: BillerSide, when = at) =>
  compareAccount(own, biller, when).findings.map(({ code, meter, amountMinor }) => [code, meter, amountMinor]);

describe('the comparison of an account', () => {
  test('finds nothing where the sides agree, whatever was agreed', () => {
    fc.assert(
      fc.property(owns, (own) => {
        const { findings, followingMinor } = compareAccount(own, sampleBiller(own), at);
        expect(findings).toEqual([]);
        expect(followingMinor).toBe(0n);
      }),
    );
  });

  test("whatever the lines say, expected − charged is exactly the findings' money and what follows from it", () => {
    fc.assert(
      fc.property(owns, fc.array(strayLine, { maxLength: 6 }), fc.boolean(), (own, lines, keep) => {
        const invoice = invoiceOf(keep ? [...agreeingLines(own), ...lines] : lines);
        const { findings, followingMinor } = compareAccount(own, sampleBiller(own, [invoice]), at);
        expect(sum(findings) + followingMinor).toBe(own.expected.totalMinor - invoice.totalMinor);
      }),
    );
  });

  test('what was not sent is told once, at L2, and the lines that follow from it are not', () => {
    fc.assert(
      fc.property(quantities, quantities, (used, sent) => {
        const own = sampleOwn({ quantities: [used] });
        const price = termsOf('business').prices;
        const fee = agreeingLines(own).filter(({ kind }) => kind === 'plan_fee');
        const usage = METERS.flatMap((meter) =>
          agreeingLines(sampleOwn({ quantities: [sent] })).filter((line) => line.meter === meter),
        );
        const biller = { ...sampleBiller(own, [invoiceOf([...usage, ...fee])]), summaries: sent };
        const { findings } = compareAccount(own, biller, at);
        const worth = (of: typeof used) =>
          METERS.reduce((total, meter) => total + sumLines(rateMeter(price[meter], of[meter])), 0n);
        expect(findings.every(({ code }) => code === 'USAGE_NOT_SENT' || code === 'USAGE_OVERSENT')).toBe(true);
        expect(sum(findings)).toBe(worth(used) - worth(sent));
      }),
    );
  });

  test('neither the order of the lines nor that of the invoices matters', () => {
    fc.assert(
      fc.property(owns, fc.array(strayLine, { maxLength: 4 }), (own, lines) => {
        const invoices = [
          invoiceOf([...agreeingLines(own), ...lines]),
          invoiceOf(agreeingLines(own), { id: 'in_2', createdAtMs: period.endAtMs + HOUR_MS }),
          invoiceOf(lines, { id: 'in_3', billingReason: 'manual' }),
        ];
        const turned = invoices.map((one) => ({ ...one, lines: one.lines.toReversed() })).toReversed();
        const key = (biller: BillerSide) => codesOf(own, biller, later);
        expect(key(sampleBiller(own, turned))).toEqual(key(sampleBiller(own, invoices)));
      }),
    );
  });

  test('one finding per code and meter, in the order of the legs', () => {
    fc.assert(
      fc.property(owns, fc.array(strayLine, { maxLength: 6 }), (own, lines) => {
        const keys = codesOf(own, sampleBiller(own, [invoiceOf(lines)]), later).map(
          ([code, meter]) => `${code} ${meter}`,
        );
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });
});
