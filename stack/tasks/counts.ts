// Counts tests from vitest's JSON reports. Promises: whatever is not a passed test is a failed one: a suite that didn't load, a skipped test,
// a run without tests, a run that ended badly for another reason.
export type Report = {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { status: string; fullName: string }[];
  }[];
};

export type Counts = { passed: number; failed: number; complaints: string[] };

/** `code` is the exit code of the run; `report` is undefined when the run wrote none. */
export function countTests(project: string, code: number, report: Report | undefined): Counts {
  const counts: Counts = { passed: 0, failed: 0, complaints: [] };
  const complain = (words: string): void => {
    counts.failed += 1;
    counts.complaints.push(`${project}: ${words}`);
  };
  for (const file of report?.testResults ?? []) {
    for (const test of file.assertionResults) {
      if (test.status === 'passed') counts.passed += 1;
      else
        complain(test.status === 'failed' ? test.fullName : `${test.status}, and tests never skip: ${test.fullName}`);
    }
    const anyFailed = file.assertionResults.some((test) => test.status === 'failed');
    if (file.status === 'failed' && !anyFailed)
      complain(`${file.name} did not load or clean up: ${file.message ?? ''}`);
  }
  if (report === undefined) complain('the run wrote no report');
  else if (counts.passed + counts.failed === 0) complain('no test ran');
  else if (code !== 0 && counts.failed === 0)
    complain(`vitest ended with code ${code} although its tests passed; see above`);
  return counts;
}
