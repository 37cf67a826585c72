import { describe, expect, test } from 'vitest';
import { parsePeriod } from '../domain/period.ts';
import { findBlockers } from './blockers.ts';
import { formatDuration } from './duration.ts';
import { countDue, judge } from './objectives.ts';
import { computeSteps } from './period-steps.ts';
import { describeScreen } from './screen.ts';
import type { Parts } from './standing.ts';
import { NOON_MS, read, unread, wellStanding } from './testing/standing.ts';

function screenOf(over: Partial<Parts>, before: Partial<Parts> = over): { runbooks: string[]; text: string } {
  const looks = { before: wellStanding(before), now: wellStanding(over, NOON_MS + 2_000) };
  return { runbooks: findBlockers(looks).map(({ runbook }) => runbook), text: describeScreen(looks).join('\n') };
}

const servers = { kafka: null, clickhouse: null, postgres: null, redis: null, temporal: null, stripe: null };

describe('the screen', () => {
  test('says that nothing blocks when nothing does', () => {
    const { runbooks, text } = screenOf({});
    expect(runbooks).toEqual([]);
    expect(text).toContain('nothing blocks this month');
    expect(text).toContain('all 1000 announced events arrived');
  });

  test('an engine that is stopped is said in words, once, and what it knows is unknown instead of zero', () => {
    const away = unread('connect ECONNREFUSED');
    const { runbooks, text } = screenOf({
      servers: read({ ...servers, clickhouse: 'connect ECONNREFUSED' }),
      findings: away,
      storage: away,
    });
    expect(runbooks).toEqual(['DependencyDown']);
    expect(text).toContain('ClickHouse does not answer: connect ECONNREFUSED');
    expect(text).toContain('usage waits in Kafka and nothing is lost');
    expect(text).toContain('proof      unknown: connect ECONNREFUSED');
  });

  test('a part that nothing explains is named by itself', () => {
    expect(screenOf({ books: unread('permission denied') }).runbooks).toEqual(['WatcherBlind']);
  });

  test('records that wait block only when nothing moved between two looks', () => {
    const waiting = read({ ends: [10n, 50n], stored: [10n, 20n] });
    expect(screenOf({ log: waiting }).runbooks).toEqual(['ConsumptionStopped']);
    const earlier = read({ ends: [10n, 50n], stored: [10n, 5n] });
    const moving = screenOf({ log: waiting }, { log: earlier });
    expect(moving.runbooks).toEqual([]);
    expect(moving.text).toContain('30 records behind, 7 stored a second');
  });

  test('blocks that wait for long and do not move block; young ones do not', () => {
    const old = read({ pendingBlocks: 3, oldestPendingMs: 600_000, rolledUp: [0n, 0n] });
    expect(screenOf({ rollup: old }).runbooks).toEqual(['RollupStalled']);
    const young = read({ pendingBlocks: 3, oldestPendingMs: 5_000, rolledUp: [0n, 0n] });
    expect(screenOf({ rollup: young }).runbooks).toEqual([]);
  });

  test('a step that is overdue blocks and is the next one; its lateness is business time', () => {
    const september = parsePeriod('2026-09');
    const steps = computeSteps(september, { barrier: true, closed: false, reported: false, signed: false });
    const { runbooks, text } = screenOf({ period: read({ steps }) });
    expect(runbooks).toContain('PeriodStepOverdue');
    expect(text).toContain('close of 2026-09, due 2026-10-03T06:00Z, 12 d 6 h ago');
  });

  test('a step that nobody takes is told from its first seconds on, and blocks only when it lasts', () => {
    const stuck = { step: 'workflow task', forMs: 25_000, attempt: 1, why: 'nobody takes it' };
    const running = [{ id: 'close-2026-09', kind: 'close' as const, stuck }];
    const { runbooks, text } = screenOf({ workflows: read({ running, failed: [] }) });
    expect(runbooks).toEqual([]);
    expect(text).toContain('workflows  1 close; close-2026-09 waits 25 s for workflow task: nobody takes it');
  });

  test('stuck work names the workflow, its step and why', () => {
    const stuck = { step: 'pushUsage', forMs: 1_200_000, attempt: 9, why: 'STRIPE_UNAVAILABLE' };
    const running = [{ id: 'close-2026-09-batch-0', kind: 'batch' as const, stuck }];
    const { runbooks, text } = screenOf({ workflows: read({ running, failed: [] }) });
    expect(runbooks).toEqual(['WorkflowStuck']);
    expect(text).toContain(
      'close-2026-09-batch-0: pushUsage has been waiting or failing for 20 min (STRIPE_UNAVAILABLE)',
    );
  });
});

describe('objectives', () => {
  test('what is not known is not kept', () => {
    const blind = unread('away');
    const nothing = wellStanding({ findings: blind, books: blind, period: blind, clock: blind });
    expect(new Set(Object.values(judge(nothing, null)))).toEqual(new Set(['unknown']));
  });

  test('a month in which all is well keeps them all', () => {
    expect(new Set(Object.values(judge(wellStanding(), 0)))).toEqual(new Set(['good']));
  });

  test('a slow look weighs as much as the quick ones that were due in its time, and the first one as one', () => {
    expect([countDue(undefined, 0, 10_000), countDue(0, 10_400, 10_000), countDue(0, 3_000, 10_000)]).toEqual([
      1, 1, 1,
    ]);
    expect(countDue(0, 90_000, 10_000)).toBe(9);
  });

  test('freshness is kept up to five minutes', () => {
    expect(judge(wellStanding(), 300_000)['usage-freshness']).toBe('good');
    expect(judge(wellStanding(), 300_001)['usage-freshness']).toBe('bad');
  });

  test('money in doubt counts against what was invoiced in its currency', () => {
    const unsettled = {
      caseId: 'c1',
      period: '2026-09',
      account: 'acme',
      code: 'TIER_MISMATCH' as const,
      severity: 'low' as const,
      currency: 'usd',
      amountMinor: 11n,
      openedAtMs: NOON_MS,
      dueAtMs: NOON_MS + 1,
    };
    const run = {
      run: 'close-2026-09',
      period: '2026-09',
      reported: true,
      accounts: new Map(),
      invoicedMinor: new Map([['usd', 10_000n]]),
    };
    const over = wellStanding({ books: read({ unsettled: [unsettled], newestRun: run }) });
    expect(judge(over, 0)['reconciliation-drift']).toBe('bad');
    const under = wellStanding({ books: read({ unsettled: [{ ...unsettled, amountMinor: 10n }], newestRun: run }) });
    expect(judge(under, 0)['reconciliation-drift']).toBe('good');
  });
});

test.each([
  [0, '0 s'],
  [40_900, '40 s'],
  [750_000, '12 min 30 s'],
  [3_600_000, '1 h'],
  [100 * 3_600_000, '4 d 4 h'],
])('%d ms are said as %s', (ms, said) => expect(formatDuration(ms)).toBe(said));
