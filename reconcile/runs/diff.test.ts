import { expect, test } from 'vitest';
import { sampleReport } from '../report-html/sample-report.ts';
import { describeDiff, diffReports } from './diff.ts';

test('the same report twice differs in nothing', () => {
  const report = sampleReport();
  expect(describeDiff(diffReports(report, report))).toEqual([
    `${report.run} → ${report.run}: same report hash, same evidence hash`,
  ]);
});

test('a break that went, one that came, changed money, a moved account and another late barrier are told, each in a line', () => {
  const from = sampleReport();
  const [gone, changed, ...rest] = from.breaks;
  const [account, ...accounts] = from.accounts;
  if (gone === undefined || changed === undefined || account === undefined) throw new Error('the sample is too small');
  const to = {
    ...from,
    run: `${from.run}-r2`,
    reportHash: 'x',
    breaks: [
      { ...changed, amountMinor: '700', currency: 'usd' as const },
      ...rest,
      {
        ...gone,
        account: 'zoe',
        code: 'INVOICE_MISSING' as const,
        meter: null,
        amountMinor: '-1',
        currency: 'usd' as const,
      },
    ],
    accounts: [{ ...account, state: 'held' as const, invoicedMinor: null }, ...accounts],
    evidence: { ...from.evidence, lateBarrier: ['99'] },
  };
  const diff = diffReports(from, to);
  expect(diff.breaks.map(({ change, code, account: who }) => `${change} ${code} ${who}`).sort()).toEqual(
    [
      `gone ${gone.code} ${gone.account}`,
      `changed ${changed.code} ${changed.account}`,
      'new INVOICE_MISSING zoe',
    ].sort(),
  );
  expect(diff.accounts).toMatchObject([{ account: account.account }]);
  expect(diff.inputs.map(({ input }) => input)).toEqual(['late barrier']);
  const lines = describeDiff(diff);
  expect(lines[0]).toBe(`${from.run} → ${from.run}-r2: another report hash, same evidence hash`);
  expect(lines).toContain('  new     INVOICE_MISSING zoe: -0.01 USD');
  expect(lines).toContain(`  account ${account.account}: state ${account.state} → held`);
});
