import { describe, expect, test } from 'vitest';
import { termsOf } from '../compare/testing/sides.ts';
import { comparePeriodSides, fromPeriodRecord, toPeriodRecord, type PeriodSides } from './period-sides.ts';

const acme = { id: 'acme', currency: 'usd', terms: termsOf('developer') } as const;
const ofAcme = { account: 'acme', namespace: 'pay.acme', meter: 'actions' } as const;
const ingest = { messages: 10n, accepted: 9n, rejected: 1n, rejectedByReason: {}, conflicts: 0n, unique: 9n };
const agreeing: PeriodSides = {
  totals: [{ ...ofAcme, quantity: 400_000n, events: 9n }],
  late: [],
  ingest,
  emitted: 9n,
  announced: [{ source: '/plane', announced: 9n, arrived: 9n }],
  miscounts: { rollups: [], duplicates: [] },
  accounts: [acme],
  settled: [],
};
const found = (over: Partial<PeriodSides>) =>
  comparePeriodSides({ ...agreeing, ...over }).map(({ code, account, amountMinor, expected, actual }) => {
    return [code, account, amountMinor, expected, actual];
  });

describe('the legs of a period as a whole', () => {
  test('find nothing where all sides agree, and the same out of the stored record', () => {
    expect(found({})).toEqual([]);
    expect(fromPeriodRecord(toPeriodRecord(agreeing))).toEqual(agreeing);
  });

  test('S0: all sources that are short are one difference', () => {
    const announced = ['/a', '/b'].map((source) => ({ source, announced: 5n, arrived: 3n }));
    expect(found({ announced })).toEqual([['MANIFEST_SHORT', '*', 0n, '5 events of /a; 5 events of /b', '3; 3']]);
  });

  test('L0: a message without a fate is named', () => {
    expect(found({ ingest: { ...ingest, messages: 12n } })).toEqual([
      ['USAGE_MISSING_RAW', '*', 0n, '12 messages of the usage topic', '9 stored and 1 rejected'],
    ]);
  });

  test('L0 and L1: what counts wrongly is worth what it changes about the period, not about its window', () => {
    const twice = { ...ofAcme, right: 100n, counted: 200_100n };
    const duplicates = [twice, { ...twice, namespace: 'web.acme', right: 5n, counted: 5n }];
    expect(found({ miscounts: { rollups: [], duplicates } })).toEqual([
      ['USAGE_DUPLICATE', 'acme', -100n, '200000', '400000'],
    ]);
    const rollups = [{ ...ofAcme, right: 200_000n, counted: 0n }];
    expect(found({ miscounts: { rollups, duplicates: [] } })).toEqual([
      ['ROLLUP_MISMATCH', 'acme', 100n, '400000', '200000'],
    ]);
  });
});
