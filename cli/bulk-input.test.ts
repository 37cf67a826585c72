import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatDecimal } from '../domain/decimal.ts';
import { parsePrices, readQuantities } from './bulk-input.ts';
import { UsageError } from './command.ts';

describe('prices on the command line', () => {
  test('are tiers in rising order with an open end, or one amount for everything', () => {
    const read = (text: string) =>
      [...parsePrices([text])].map(([meter, tiers]) => [
        meter,
        tiers.map(({ upTo, unitAmount }) => `${upTo ?? 'rest'}:${formatDecimal(unitAmount)}`),
      ]);
    expect(read('actions=25000000:0,75000000:0.0005,rest:0.00045')).toEqual([
      ['actions', ['25000000:0', '75000000:0.0005', 'rest:0.00045']],
    ]);
    expect(read('active_storage=0.0042')).toEqual([['active_storage', ['rest:0.0042']]]);
  });

  test.each([
    'actions',
    'shoes=1',
    'actions=1:0',
    'actions=rest:1,2:3',
    'actions=5:0,5:1,rest:2',
    'actions=-1',
    'actions=1e3',
  ])('%s is refused', (text) => {
    expect(() => parsePrices([text])).toThrow(UsageError);
  });

  test('of one meter twice are refused', () => {
    expect(() => parsePrices(['actions=1', 'actions=2'])).toThrow(UsageError);
  });
});

describe('quantities in a file', () => {
  const file = (...rows: string[]) => {
    const path = join(mkdtempSync(join(tmpdir(), 'trueup-quantities-')), 'q.csv');
    writeFileSync(path, ['account,meter,hour,quantity', ...rows].join('\n'));
    return path;
  };

  test('are read exactly, whatever their size', () => {
    const huge = '9'.repeat(30);
    expect(readQuantities(file(`acme,actions,2026-10-03T12:00:00Z,${huge}`))).toEqual([
      { account: 'acme', meter: 'actions', hourAtMs: Date.UTC(2026, 9, 3, 12), quantity: BigInt(huge) },
    ]);
  });

  test.each([
    ['acme,shoes,2026-10-03T12:00:00Z,1', 'row 2: meter'],
    ['acme,actions,2026-10-03T12:30:00Z,1', 'not the start of an hour'],
    ['acme,actions,2026-10-03T12:00:00Z,1.5', 'row 2: quantity'],
    ['acme,actions,2026-10-03T12:00:00Z,-1', 'row 2: quantity'],
    ['acme,actions,yesterday,1', 'row 2: hour'],
  ])('%s is refused with its place', (row, says) => {
    expect(() => readQuantities(file(row))).toThrow(says);
  });

  test('given twice for an hour are refused', () => {
    const row = 'acme,actions,2026-10-03T12:00:00Z,1';
    expect(() => readQuantities(file(row, row))).toThrow('row 3: acme has actions');
  });
});
