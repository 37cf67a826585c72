import { expect, test } from 'vitest';
import { findStuck, type Step } from './running-workflows.ts';

const step = (over: Partial<Step>): Step => ({
  step: 'pushUsage',
  sinceMs: 1_000,
  attempt: 1,
  started: true,
  why: '',
  ...over,
});

test('a step that is being worked on is not stuck, however long it takes', () => {
  expect(findStuck([step({ sinceMs: 0 }), step({ attempt: 2 })], 9e9)).toBeNull();
});

test('a step that nobody takes is stuck since it was handed out', () => {
  expect(findStuck([step({ started: false })], 61_000)).toEqual({
    step: 'pushUsage',
    forMs: 60_000,
    attempt: 1,
    why: 'nobody takes it',
  });
});

test('of several the one that waits longest is named, with what it fails with', () => {
  const steps = [
    step({ attempt: 9, why: 'STRIPE_UNAVAILABLE' }),
    step({ step: 'readBack', sinceMs: 5_000, attempt: 3 }),
  ];
  expect(findStuck(steps, 11_000)).toMatchObject({ step: 'pushUsage', forMs: 10_000, why: 'STRIPE_UNAVAILABLE' });
});
