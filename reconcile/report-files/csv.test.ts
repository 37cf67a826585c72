import { describe, expect, test } from 'vitest';
import type { ReportBreak } from '../report/types.ts';
import { formatCsv } from './csv.ts';
import { breaksTable } from './tables.ts';

const found: ReportBreak = {
  code: 'QTY_MISMATCH',
  stage: 'L3',
  account: 'acme',
  meter: 'actions',
  amountMinor: '-1205',
  currency: 'usd',
  hours: [],
  expected: '1',
  actual: '2',
  status: 'open',
  resolution: 'say "no", twice',
  brokeAt: '2026-11-03T00:00:00.000Z',
  ageDays: 1,
  ageBucket: '0-7',
  evidence: ['ab'],
};
const rowsOf = (breaks: ReportBreak[]) => formatCsv(breaksTable({ period: '2026-10', breaks })).split('\r\n');

describe('breaks.csv', () => {
  test('ends every row with CRLF and quotes what holds a comma or a quote', () => {
    const rows = rowsOf([found]);
    expect(rows).toHaveLength(3);
    expect(rows[2]).toBe('');
    expect(rows[1]).toContain('"say ""no"", twice"');
  });

  test('writes amounts as exact decimal text, negative ones too', () => {
    expect(rowsOf([found])[1]).toContain(',-12.05,usd,');
    expect(rowsOf([{ ...found, amountMinor: '123456789012345678901' }])[1]).toContain(',1234567890123456789.01,');
    expect(rowsOf([{ ...found, amountMinor: '500', currency: 'jpy' }])[1]).toContain(',500,jpy,');
    expect(rowsOf([{ ...found, amountMinor: '-1500', currency: 'kwd' }])[1]).toContain(',-1.500,kwd,');
  });

  test.each(['=1+1', '+1', '-1', '@x', '\tx'])('defuses a cell that starts like a formula: %j', (account) => {
    expect(rowsOf([{ ...found, account }])[1]).toContain(`,'${account},`);
  });

  test('has a header even without breaks', () => {
    expect(rowsOf([])[0]).toMatch(/^period,code,stage,account,meter,amount,/);
  });
});
