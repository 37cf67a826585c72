import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALL_ACCOUNTS, compareDuplicates, compareLog, compareManifests, compareRollups } from './log.ts';
import { termsOf } from './testing/sides.ts';

const count = fc.bigInt({ min: 0n, max: 10n ** 12n });
const dueAtMs = 1_000;
const acme = { id: 'acme', currency: 'usd', terms: termsOf('developer') } as const;

describe('leg S0, manifests', () => {
  test('a shortfall is expected until it is due, and a break of no money from then on', () => {
    const short = [{ source: '/plane', announced: 10n, arrived: 7n }];
    const early = compareManifests(short, dueAtMs, { nowMs: dueAtMs - 1 });
    expect(early.findings).toEqual([]);
    expect(early.expected).toMatchObject([{ what: 'usage', dueAtMs, why: '3 events of /plane are under way' }]);
    expect(compareManifests(short, dueAtMs, { nowMs: dueAtMs })).toMatchObject({
      findings: [{ code: 'MANIFEST_SHORT', account: ALL_ACCOUNTS, amountMinor: 0n, actual: '7' }],
      expected: [],
    });
  });
  test('a source that sent what it announced, or more, is no break', () => {
    fc.assert(
      fc.property(count, count, (announced, more) => {
        const of = [{ source: '/plane', announced, arrived: announced + more }];
        expect(compareManifests(of, dueAtMs, { nowMs: dueAtMs })).toEqual({ findings: [], expected: [] });
      }),
    );
  });
});

describe('leg L0, the log', () => {
  test('is told exactly where a message has no fate, or two', () => {
    fc.assert(
      fc.property(count, count, fc.bigInt({ min: -5n, max: 5n }), (stored, rejected, off) => {
        const found = compareLog([{ where: 'partition 0', messages: stored + rejected + off, stored, rejected }]);
        expect(found.map(({ code }) => code)).toEqual(off === 0n ? [] : ['USAGE_MISSING_RAW']);
      }),
    );
  });
  test('copies under another id are over-billed by what they are worth', () => {
    const twice = { account: 'acme', meter: 'actions', right: 200_000n, counted: 400_000n } as const;
    expect(compareDuplicates([acme], [twice])).toMatchObject([
      { code: 'USAGE_DUPLICATE', account: 'acme', meter: 'actions', amountMinor: -100n },
    ]);
  });
});

describe('leg L1, the rollup', () => {
  test('differs by the worth of the difference, and by no money for a name that agreed to nothing', () => {
    const lost = { meter: 'actions', right: 400_000n, counted: 200_000n } as const;
    expect(
      compareRollups(
        [acme],
        [
          { ...lost, account: 'nobody' },
          { ...lost, account: 'acme' },
        ],
      ),
    ).toMatchObject([
      { code: 'ROLLUP_MISMATCH', account: 'acme', amountMinor: 100n, expected: '400000', actual: '200000' },
      { code: 'ROLLUP_MISMATCH', account: 'nobody', amountMinor: 0n },
    ]);
    expect(compareRollups([acme], [{ ...lost, account: 'acme', counted: lost.right }])).toEqual([]);
  });
});
