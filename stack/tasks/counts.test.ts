import { expect, test } from 'vitest';
import { countTests, type Report } from './counts.ts';

function report(...statuses: string[]): Report {
  const assertionResults = statuses.map((status) => ({ status, fullName: `a ${status} test` }));
  const status = statuses.includes('failed') ? 'failed' : 'passed';
  return { testResults: [{ name: 'x.test.ts', status, assertionResults }] };
}

test('passed and failed tests are counted as they are', () => {
  expect(countTests('unit', 1, report('passed', 'failed', 'passed'))).toMatchObject({ passed: 2, failed: 1 });
  expect(countTests('unit', 0, report('passed'))).toEqual({ passed: 1, failed: 0, complaints: [] });
});

test.each(['pending', 'skipped', 'todo', 'disabled'])('a %s test is a failed one', (status) => {
  expect(countTests('unit', 0, report('passed', status))).toMatchObject({ passed: 1, failed: 1 });
});

test('a suite that did not load is a failed test', () => {
  const broken = {
    testResults: [{ name: 'x.test.ts', status: 'failed', message: 'no such module', assertionResults: [] }],
  };
  expect(countTests('unit', 1, broken)).toMatchObject({
    failed: 1,
    complaints: [expect.stringContaining('no such module')],
  });
});

test('a run without tests, without a report, or with a bad end is failed', () => {
  expect(countTests('e2e', 0, { testResults: [] })).toMatchObject({ passed: 0, failed: 1 });
  expect(countTests('e2e', 1, undefined)).toMatchObject({ passed: 0, failed: 1 });
  expect(countTests('e2e', 1, report('passed'))).toMatchObject({ passed: 1, failed: 1 });
});
