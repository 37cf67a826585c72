// What the doctor says about one thing it looked at. A check that could not be made is `unknown`, and never passes as ok
// (promise I6). Pure.

export type Finding = {
  readonly check: string;
  readonly verdict: 'ok' | 'warning' | 'problem' | 'unknown';
  /** What was found, with the value it was judged by. */
  readonly says: string;
  /** What to do now; every finding but ok has it. */
  readonly next?: string;
};

export type Area = { readonly area: string; readonly findings: readonly Finding[] };

export const ok = (check: string, says: string): Finding => ({ check, verdict: 'ok', says });

export const warning = (check: string, says: string, next: string): Finding => ({
  check,
  verdict: 'warning',
  says,
  next,
});

export const problem = (check: string, says: string, next: string): Finding => ({
  check,
  verdict: 'problem',
  says,
  next,
});

export const unknown = (check: string, why: string, next: string): Finding => ({
  check,
  verdict: 'unknown',
  says: `not checked: ${why}`,
  next,
});

/** What a demo may do and an installation that charges real money may not. */
export function trap(live: boolean, check: string, says: string, next: string): Finding {
  return live ? problem(check, says, next) : warning(check, says, next);
}

/** How many there are of each verdict. */
export function countVerdicts(areas: readonly Area[]): Record<Finding['verdict'], number> {
  const counts = { ok: 0, warning: 0, problem: 0, unknown: 0 };
  for (const { verdict } of areas.flatMap(({ findings }) => findings)) counts[verdict] += 1;
  return counts;
}
