import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { computeCreditUse, isUsableFor } from '../../domain/credits.ts';
import { nextPeriod, parsePeriod } from '../../domain/period.ts';
import { formatCsv } from '../report-files/csv.ts';
import { computeRollForward, type CreditAccount } from './credit-roll-forward.ts';
import { rollForwardTable } from './tables.ts';

const september = parsePeriod('2026-09');
const october = nextPeriod(september);
const november = nextPeriod(october);

const grant = (id: string, amountMinor: bigint, over: Partial<CreditAccount['grants'][number]> = {}) => ({
  id,
  amountMinor,
  priority: 50,
  effectiveAtMs: september.startAtMs,
  expiresAtMs: null,
  ...over,
});
const used = (grantId: string, period: string, amountMinor: bigint) => ({ grantId, period, amountMinor });

describe('the roll-forward of prepaid credit', () => {
  const account: CreditAccount = {
    account: 'acme',
    currency: 'usd',
    grants: [
      grant('ending', 50_000n, { expiresAtMs: october.endAtMs, priority: 1 }),
      grant('long', 7_200_000n, { priority: 2 }),
      grant('new', 10_000n, { effectiveAtMs: october.startAtMs + 1, priority: 3 }),
      grant('to-come', 1n, { effectiveAtMs: november.startAtMs }),
      grant('past', 99n, { expiresAtMs: october.startAtMs }),
    ],
    creditsUsed: [
      used('ending', '2026-09', 30_000n),
      used('ending', '2026-10', 5_000n),
      used('long', '2026-10', 580_000n),
    ],
  };

  test('says per grant what it opened with, what moved and what is left', () => {
    const table = rollForwardTable(computeRollForward([account], october), october);
    expect(formatCsv(table)).toBe(
      'period,account,grant,currency,opening,granted,applied,expired,closing\r\n' +
        '2026-10,acme,ending,usd,200.00,0.00,50.00,150.00,0.00\r\n' +
        '2026-10,acme,long,usd,72000.00,0.00,5800.00,0.00,66200.00\r\n' +
        '2026-10,acme,new,usd,0.00,100.00,0.00,0.00,100.00\r\n',
    );
  });

  test('refuses a grant that paid more than it had', () => {
    const over = { ...account, creditsUsed: [used('long', '2026-10', 7_200_001n)] };
    expect(() => computeRollForward([over], october)).toThrow('grant long of acme in 2026-10 paid 1 minor units more');
  });

  test('ties out: every closing opens the next period, and what was granted was applied, expired or is left', () => {
    const instant = fc
      .integer({ min: 0, max: 3 })
      .chain((months) => fc.integer({ min: -5, max: 5 }).map((ms) => [months, ms]));
    const grants = fc.array(fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 20n }), instant, fc.option(instant)), {
      maxLength: 5,
    });
    const due = fc.array(fc.bigInt({ min: 0n, max: 10n ** 20n }), { minLength: 5, maxLength: 5 });
    const atMs = ([months = 0, ms = 0]: number[]) => Date.UTC(2026, 8 + months, 1) + ms;
    fc.assert(
      fc.property(grants, due, (told, charges) => {
        const all = told.map(([amountMinor, from, until], index) => {
          const effectiveAtMs = atMs(from);
          const expiresAtMs = until === null ? null : Math.max(atMs(until), effectiveAtMs + 1);
          return grant(`g${index}`, amountMinor, { effectiveAtMs, expiresAtMs });
        });
        const creditsUsed: { grantId: string; period: string; amountMinor: bigint }[] = [];
        const left = new Map(all.map(({ id, amountMinor }) => [id, amountMinor]));
        const closing = new Map<string, bigint>();
        const sums = { granted: 0n, applied: 0n, expired: 0n };
        let period = parsePeriod('2026-08');
        for (const charge of charges) {
          const usable = all
            .filter((one) => isUsableFor(one, period))
            .map((one) => ({ ...one, remainingMinor: left.get(one.id) ?? 0n }));
          for (const { grantId, amountMinor } of computeCreditUse([charge], usable).perGrant) {
            creditsUsed.push({ grantId, period: period.key, amountMinor });
            left.set(grantId, (left.get(grantId) ?? 0n) - amountMinor);
          }
          const rows = computeRollForward([{ account: 'acme', currency: 'usd', grants: all, creditsUsed }], period);
          for (const row of rows) {
            expect(row.openingMinor).toBe(closing.get(row.grantId) ?? 0n);
            expect(row.openingMinor + row.grantedMinor - row.appliedMinor - row.expiredMinor).toBe(row.closingMinor);
            expect(row.closingMinor).toBeGreaterThanOrEqual(0n);
            sums.granted += row.grantedMinor;
            sums.applied += row.appliedMinor;
            sums.expired += row.expiredMinor;
            closing.set(row.grantId, row.closingMinor);
          }
          period = nextPeriod(period);
        }
        const open = [...closing.values()].reduce((sum, minor) => sum + minor, 0n);
        expect(sums.granted - sums.applied - sums.expired).toBe(open);
        expect(sums.applied).toBe(creditsUsed.reduce((sum, use) => sum + use.amountMinor, 0n));
      }),
    );
  });
});
