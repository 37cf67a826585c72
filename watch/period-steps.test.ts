import { expect, test } from 'vitest';
import { HOUR_MS, parsePeriod } from '../domain/period.ts';
import { computeOverdueMs, computeSteps, duePeriods, findNextStep } from './period-steps.ts';

const october = parsePeriod('2026-10');
const nothing = { barrier: false, closed: false, reported: false, signed: false };
const graceEndsMs = october.endAtMs + 48 * HOUR_MS;

test('nothing of a period is overdue before its grace is over', () => {
  const steps = computeSteps(october, nothing);
  expect(computeOverdueMs(steps, 'barrier', graceEndsMs)).toBe(0);
  expect(computeOverdueMs(steps, 'close', graceEndsMs + 6 * HOUR_MS)).toBe(0);
});

test('an undone step is overdue since it was due, and a done one never is', () => {
  const nowMs = graceEndsMs + 10 * HOUR_MS;
  expect(computeOverdueMs(computeSteps(october, nothing), 'barrier', nowMs)).toBe(9 * HOUR_MS);
  expect(computeOverdueMs(computeSteps(october, { ...nothing, barrier: true }), 'barrier', nowMs)).toBe(0);
});

test('the next step is the one that is due first', () => {
  const steps = computeSteps(october, { ...nothing, barrier: true });
  expect(findNextStep(steps)).toMatchObject({ period: '2026-10', step: 'close' });
});

test('months before the first account have no steps', () => {
  const nowMs = Date.UTC(2026, 10, 15);
  expect(duePeriods(nowMs, null)).toEqual([]);
  expect(duePeriods(nowMs, Date.UTC(2026, 9, 20)).map(({ key }) => key)).toEqual(['2026-10', '2026-11']);
});
