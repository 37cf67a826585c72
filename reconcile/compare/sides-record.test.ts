import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, type Canonical } from '../../domain/canonical.ts';
import { HOUR_MS } from '../../domain/period.ts';
import { compareAccount } from './account.ts';
import { fromSidesRecord, toSidesRecord, type Sides } from './sides-record.ts';
import type { OwnSide } from './sides.ts';
import { agreeingLines, invoiceOf, period, sampleBiller, sampleOwn, termsOf } from './testing/sides.ts';

const quantity = fc.bigInt({ min: 0n, max: 10n ** 30n });
const hours = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 743 }), quantity), { maxLength: 5 })
  .map((pairs) => new Map(pairs.map(([hour, value]) => [period.startAtMs + hour * HOUR_MS, value])));
const sides = fc
  .record({
    used: fc.record({ actions: quantity, active_storage: quantity, retained_storage: quantity }),
    hours,
    sent: quantity,
    settledMinor: fc.bigInt(),
    tax: fc.option(fc.bigInt({ min: 0n, max: 3_000n })),
    split: fc.boolean(),
    nowMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  })
  .map((of): Sides => {
    const terms = of.split ? [termsOf('developer'), termsOf('enterprise')] : [termsOf('business')];
    const own = sampleOwn({ terms, quantities: terms.map(() => of.used), taxBasisPoints: of.tax, creditMinor: 7n });
    const paid = { id: 'pay_1', status: 'paid', amountMinor: of.sent, outOfBand: true, paidAtMs: of.nowMs } as const;
    const note = { id: 'cn_1', number: null, status: 'issued', kind: 'mixed', amountMinor: 1n, caseId: 'c' } as const;
    const invoice = invoiceOf(agreeingLines(own), {
      payments: [paid],
      creditNotes: [{ ...note, createdAtMs: of.nowMs }],
      snapshot: { id: 'in_1', lines: [{ amount: '1' }], none: null },
    });
    return {
      own: {
        ...own,
        hours: { actions: of.hours },
        holds: ['USAGE_DIFFERS'],
        cases: [{ id: 'case-1', code: 'QTY_MISMATCH', meter: 'actions', settledMinor: of.settledMinor }],
      },
      biller: {
        ...sampleBiller(own, [invoice]),
        summaries: { actions: of.sent },
        hours: { actions: of.hours, retained_storage: new Map() },
        meterErrors: [{ code: 'archived_meter', meter: null, events: 3 }],
      },
      at: { nowMs: of.nowMs },
    };
  });
const stored = (of: Sides): Canonical => JSON.parse(canonicalJson(toSidesRecord(of))) as Canonical;

describe('the record of both sides', () => {
  test('comes back as it went, through canonical JSON', () => {
    fc.assert(
      fc.property(sides, (of) => {
        expect(fromSidesRecord(stored(of))).toEqual(of);
      }),
    );
  });

  test('gives the same answer when it is compared again', () => {
    fc.assert(
      fc.property(sides, (of) => {
        const again = fromSidesRecord(stored(of));
        expect(compareAccount(again.own, again.biller, again.at)).toEqual(compareAccount(of.own, of.biller, of.at));
      }),
    );
  });

  test('leaves out what is not named, and is refused with its place when a field is missing or of another kind', () => {
    const own = sampleOwn();
    const named = { own, biller: sampleBiller(own), at: { nowMs: 0 } };
    const record = stored(named) as Record<string, Canonical>;
    expect(stored({ ...named, own: { ...own, email: 'somebody' } as OwnSide })).toEqual(record);
    expect(() => fromSidesRecord({ ...record, at: { nowMs: '0' } })).toThrow(/nowMs/);
    const { account: _, ...nameless } = record['own'] as Record<string, Canonical>;
    expect(() => fromSidesRecord({ ...record, own: nameless })).toThrow(/account/);
  });
});
