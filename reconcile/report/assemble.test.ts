import { describe, expect, test } from 'vitest';
import type { IngestCounts } from '../../aggregate/usage.ts';
import { METERS } from '../../domain/meter.ts';
import { DAY_MS, parsePeriod } from '../../domain/period.ts';
import { PLANS, type Terms } from '../../domain/price-book.ts';
import { ratePeriod, type MeterQuantities } from '../../domain/rating.ts';
import { toBreak, type Break, type Finding } from '../compare/break.ts';
import type { RunAccount } from '../store/runs.ts';
import type { StoredLine } from '../store/rated.ts';
import { assembleReport, type ReportInput } from './assemble.ts';

const period = parsePeriod('2026-10');
const terms: Terms = { ...PLANS.developer, planId: 'developer' };
const closedAtMs = period.endAtMs + 2 * DAY_MS;

function member(account: string, quantities: MeterQuantities, over: Partial<RunAccount> = {}) {
  const rated = ratePeriod(terms, quantities);
  const row: RunAccount = {
    account,
    currency: 'usd',
    planId: 'developer',
    state: 'billed',
    reasons: [],
    rated: { usageMinor: rated.usageMinor, feeMinor: rated.feeMinor },
    summaries: quantities,
    invoices: [{ id: `in_${account}`, draft: false }],
    invoice: { number: `N-${account}`, status: 'open', totalMinor: rated.totalMinor, linesMinor: rated.totalMinor },
    compared: null,
    evidence: [`hash-${account}`],
    ...over,
  };
  const lines: StoredLine[] = rated.lines.map((line) => ({ ...line, account }));
  const totals = METERS.map((meter) => ({
    account,
    namespace: `main.${account}`,
    meter,
    quantity: quantities[meter],
    events: 1n,
  }));
  return { row, lines, totals };
}

type Member = ReturnType<typeof member>;

const usage = { actions: 10_000_000n, active_storage: 100_000n, retained_storage: 1_000_000n };
const ingest: IngestCounts = {
  messages: 100n,
  accepted: 97n,
  rejected: 3n,
  rejectedByReason: { NOT_JSON: 3n },
  conflicts: 2n,
  unique: 90n,
};

function input(members: readonly Member[], breaks: readonly Break[] = []): ReportInput {
  return {
    run: {
      run: 'close-2026-10',
      period: '2026-10',
      openedAtMs: period.endAtMs,
      batches: 1,
      barrier: ['10', '20'],
      digest: 'digest',
      closedEvents: 80n,
      lateBarrier: ['11', '21'],
      codeVersion: '0.1.0',
      pins: null,
      periodEvidence: [],
    },
    accounts: members.map(({ row }) => row),
    lines: members.flatMap(({ lines }) => lines),
    totals: members.flatMap(({ totals }) => totals),
    breaks,
    period,
    ingest,
    reportedAtMs: closedAtMs + DAY_MS,
  };
}

function found(account: string, over: Partial<Finding>): Break {
  const finding: Finding = {
    code: 'QTY_MISMATCH',
    account,
    meter: 'actions',
    amountMinor: 100n,
    currency: 'usd',
    hours: [],
    expected: '2',
    actual: '1',
    ...over,
  };
  return toBreak(finding, closedAtMs, ['hash-break']);
}

const billedFor = (account: string, totalMinor: bigint) =>
  member(account, usage, { invoice: { number: null, status: 'open', totalMinor, linesMinor: totalMinor } });
const total = ratePeriod(terms, usage).totalMinor;

describe('the report', () => {
  test('is clean when every account is billed what was rated', () => {
    const report = assembleReport(input([member('acme', usage), member('bolt', usage)]));
    expect(report.verdict).toMatchObject({ result: 'clean', billed: 2, unexplained: 0, openBreaks: 0 });
    expect(report.money[0]?.steps.map(({ step }) => step)).toEqual(['rated', 'unexplained', 'invoiced']);
  });

  test('tells every message its fate', () => {
    const { events } = assembleReport({ ...input([member('acme', usage)]), emitted: 93n });
    expect(events).toMatchObject({ duplicates: '5', conflicts: '2', outside: '10', counted: '80', unexplained: '0' });
  });

  test('counts an event that was emitted and never arrived as unexplained', () => {
    const report = assembleReport({ ...input([member('acme', usage)]), emitted: 94n });
    expect(report.events.unexplained).toBe('1');
    expect(report.verdict).toMatchObject({ result: 'breaks', unexplained: 1 });
  });

  test('does not call unexplained what a break of the log or of a source names', () => {
    const lost = { ...ingest, messages: 101n };
    const of = (breaks: Break[]) => assembleReport({ ...input([], breaks), ingest: lost, emitted: 94n }).events;
    const named = (code: Break['code']) => found('*', { code, meter: null, amountMinor: 0n });
    expect(of([]).unexplained).toBe('2');
    expect(of([named('USAGE_MISSING_RAW')]).unexplained).toBe('1');
    expect(of([named('USAGE_MISSING_RAW'), named('MANIFEST_SHORT')]).unexplained).toBe('0');
  });

  test('leads from rated to invoiced through named steps that add up', () => {
    const report = assembleReport(
      input(
        [
          billedFor('acme', total - 100n),
          member('bolt', usage, { state: 'held', invoices: [{ id: 'in_b', draft: true }], invoice: null }),
          member('cove', usage, { state: 'missing', invoices: [], invoice: null }),
        ],
        [
          found('acme', {}),
          found('bolt', { code: 'USAGE_NOT_SENT', amountMinor: 7n }),
          found('cove', { code: 'INVOICE_MISSING', meter: null, amountMinor: total - 9n }),
          found('cove', { code: 'USAGE_NOT_SENT', amountMinor: 9n }),
          found('acme', { code: 'PAYMENT_MISSING', meter: null, amountMinor: total - 100n }),
          found('acme', { code: 'USAGE_LATE', amountMinor: 40n }),
        ],
      ),
    );
    const bridge = report.money[0];
    expect(bridge?.steps.map(({ step, amountMinor }) => [step, amountMinor])).toEqual([
      ['rated', (3n * total).toString()],
      ['held', (-total).toString()],
      ['USAGE_NOT_SENT', '-9'],
      ['QTY_MISMATCH', '-100'],
      ['INVOICE_MISSING', (9n - total).toString()],
      ['unexplained', '0'],
      ['invoiced', (total - 100n).toString()],
    ]);
    expect(bridge?.beyondMinor).toBe('40');
    const middle = bridge?.steps.slice(0, -1).reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n);
    expect(middle?.toString()).toBe(bridge?.invoicedMinor);
  });

  test('leads from what was agreed through discounts and tax, and from what was invoiced to what was paid', () => {
    const compared = { expectedMinor: total - 500n, followingMinor: -10n, dueMinor: total - 590n };
    const row = member('acme', usage, {
      invoice: { number: 'N-1', status: 'open', totalMinor: total - 590n, linesMinor: total },
      compared: { ...compared, paidMinor: 300n, waitingMinor: 0n },
    });
    const report = assembleReport(
      input(
        [row],
        [found('acme', {}), found('acme', { code: 'PAYMENT_PARTIAL', meter: null, amountMinor: total - 890n })],
      ),
    );
    expect(report.money[0]?.steps.map(({ step, amountMinor }) => [step, amountMinor])).toEqual([
      ['rated', total.toString()],
      ['agreed', '-500'],
      ['QTY_MISMATCH', '-100'],
      ['following', '10'],
      ['unexplained', '0'],
      ['invoiced', (total - 590n).toString()],
    ]);
    expect(report.cash).toEqual([
      {
        currency: 'usd',
        dueMinor: (total - 590n).toString(),
        notYetDueMinor: '0',
        steps: [{ step: 'PAYMENT_PARTIAL', amountMinor: (890n - total).toString(), count: 1 }],
        paidMinor: '300',
        unexplainedMinor: '0',
      },
    ]);
  });

  test('calls a difference that no break names unexplained, also when two of them cancel out', () => {
    const report = assembleReport(input([billedFor('acme', total - 5n), billedFor('bolt', total + 5n)]));
    expect(report.money[0]?.unexplainedMinor).toBe('0');
    expect(report.verdict).toMatchObject({ result: 'breaks', unexplained: 2 });
  });

  test('shows usage that nobody was rated for', () => {
    const { row, lines, totals } = member('acme', usage);
    const lost = input([{ row, lines: lines.filter(({ meter }) => meter !== 'actions'), totals }]);
    expect(assembleReport(lost).quantities[0]).toMatchObject({ rolledUp: '10000000', unexplained: '10000000' });
  });

  test('shows the rating of a failed account as unknown and is not clean', () => {
    const failed = member('acme', usage, {
      state: 'failed',
      rated: null,
      invoice: null,
      reasons: ['STRIPE_NOT_FOUND'],
    });
    const report = assembleReport(input([{ ...failed, lines: [] }]));
    expect(report.accounts[0]).toMatchObject({ totalMinor: null, invoicedMinor: null });
    expect(report.quantities[0]).toMatchObject({ notRated: '10000000', unexplained: '0' });
    expect(report.verdict).toMatchObject({ result: 'breaks', failed: 1, unexplained: 1 });
  });

  test('calls a failed account unexplained with all it was rated for', () => {
    const failed = member('acme', usage, { state: 'failed', invoice: null, reasons: ['STRIPE_NOT_FOUND'] });
    const report = assembleReport(input([failed, member('bolt', usage)]));
    expect(report.accounts[0]?.unexplainedMinor).toBe(total.toString());
    expect(report.money[0]?.unexplainedMinor).toBe(total.toString());
    expect(report.verdict.unexplained).toBe(1);
  });

  test.each([
    ['USAGE_NOT_SENT', 0],
    ['USAGE_OVERSENT', 0],
    ['USAGE_LATE', 1],
    [null, 1],
  ] as const)('of a held account with %s as its only break has %i unexplained', (code, unexplained) => {
    const held = member('acme', usage, { state: 'held', reasons: ['FEE_DIFFERS'], invoice: null });
    const report = assembleReport(input([held], code === null ? [] : [found('acme', { code })]));
    expect(report.verdict).toMatchObject({ result: 'breaks', held: 1, unexplained });
    expect(report.money[0]?.unexplainedMinor).toBe((BigInt(unexplained) * total).toString());
    const steps = report.money[0]?.steps.slice(0, -1) ?? [];
    expect(steps.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n)).toBe(0n);
  });

  test('does not let another account’s break explain a hold, nor a hold of nothing go unseen', () => {
    const none = { actions: 0n, active_storage: 0n, retained_storage: 0n };
    const held = member('acme', none, { state: 'held', invoice: null });
    const report = assembleReport(input([held, member('bolt', usage)], [found('bolt', { code: 'USAGE_NOT_SENT' })]));
    expect(report.accounts[0]?.unexplainedMinor).toBe('0');
    expect(report.verdict.unexplained).toBeGreaterThanOrEqual(1);
  });

  test('accepts rounding and still totals it', () => {
    const rounding = found('acme', { code: 'ROUNDING', amountMinor: 1n });
    const report = assembleReport(input([billedFor('acme', total - 1n)], [rounding]));
    expect(report.verdict).toMatchObject({ result: 'clean', autoAccepted: 1, openBreaks: 0 });
    expect(report.classes).toMatchObject([{ code: 'ROUNDING', count: 1, open: 0, amountMinor: '1' }]);
  });

  test('ages a break in whole days of business time', () => {
    const late = { ...input([member('acme', usage)], [found('acme', { code: 'USAGE_LATE' })]) };
    const ageAt = (days: number) => assembleReport({ ...late, reportedAtMs: closedAtMs + days * DAY_MS }).breaks[0];
    expect([0, 7, 8, 30, 31, 60, 61, 90, 91].map((days) => ageAt(days)?.ageBucket)).toEqual([
      '0-7',
      '0-7',
      '8-30',
      '8-30',
      '31-60',
      '31-60',
      '61-90',
      '61-90',
      '>90',
    ]);
  });
});

describe('the hashes', () => {
  const plain = input([member('acme', usage), member('bolt', usage)], [found('acme', { code: 'USAGE_LATE' })]);
  const base = assembleReport(plain);

  test('do not depend on the order in which anything was stored', () => {
    const turned = assembleReport({
      ...plain,
      accounts: plain.accounts.toReversed(),
      lines: plain.lines.toReversed(),
      totals: plain.totals.toReversed(),
      breaks: plain.breaks.toReversed(),
    });
    expect([turned.reportHash, turned.evidenceHash]).toEqual([base.reportHash, base.evidenceHash]);
  });

  test('reportHash ignores vendor ids, offsets, evidence, code version and when the report was made', () => {
    const other = assembleReport({
      ...plain,
      run: { ...plain.run, barrier: ['1'], lateBarrier: ['2'], codeVersion: '9' },
      accounts: plain.accounts.map((row) => ({
        ...row,
        evidence: ['other'],
        invoices: [{ id: 'in_other', draft: false }],
        invoice: row.invoice === null ? null : { ...row.invoice, number: 'other' },
      })),
      reportedAtMs: plain.reportedAtMs + 40 * DAY_MS,
    });
    expect(other.reportHash).toBe(base.reportHash);
    expect(other.evidenceHash).not.toBe(base.evidenceHash);
  });

  test('reportHash moves with a quantity, an amount, a state or a break', () => {
    const changed: ReportInput[] = [
      input([member('acme', { ...usage, actions: 10_000_001n }), member('bolt', usage)], plain.breaks),
      input([billedFor('acme', total + 1n), member('bolt', usage)], plain.breaks),
      input([member('acme', usage, { state: 'held' }), member('bolt', usage)], plain.breaks),
      input([member('acme', usage), member('bolt', usage)], []),
      input([member('acme', usage), member('bolt', usage)], [found('acme', { code: 'USAGE_LATE', amountMinor: 1n })]),
    ];
    for (const other of changed) expect(assembleReport(other).reportHash).not.toBe(base.reportHash);
  });
});
