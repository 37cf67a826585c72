// trueup integrity: one run of the continuous proof, and what stands. Exit code 1 says that something stands open.

import { parseArgs } from 'node:util';
import { fetchFindings, type Finding } from '../aggregate/integrity/findings.ts';
import { FINDING_RULES } from '../aggregate/integrity/kinds.ts';
import { runIntegrity } from '../aggregate/integrity/run.ts';
import { parsePeriod, toIso } from '../domain/period.ts';
import { UsageError, type Run } from './command.ts';
import { withStores } from './stores.ts';

export const run: Run = async ([action, ...args], context) => {
  const { values } = parseArgs({
    args,
    options: {
      full: { type: 'string' },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  if (action !== 'run' && action !== 'list') throw new UsageError('say run or list');
  const full = values.full === undefined ? undefined : parsePeriod(values.full);
  return withStores(context, async ({ deps, nowMs }) => {
    let failed = 0;
    if (action === 'run') {
      const done = await runIntegrity(deps, { nowMs, ...(full === undefined ? {} : { full }) });
      context.warn(`looked at ${done.checks.join(', ')}`);
      for (const { check, error } of done.failed) context.warn(`could not look at ${check}: ${error}`);
      failed = done.failed.length;
    }
    const findings = await fetchFindings(deps.db, values.all);
    for (const finding of findings) {
      context.print(values.json ? JSON.stringify(finding) : describe(finding));
    }
    const open = findings.filter(({ state }) => state === 'OPEN').length;
    const suspected = findings.filter(({ state }) => state === 'SUSPECTED').length;
    context.warn(`${open} open, ${suspected} suspected (seen once; run again)`);
    return open > 0 || failed > 0 ? 1 : 0;
  });
};

function describe({ kind, key, state, seen, firstSeenMs, evidence }: Finding): string {
  const { promise, meaning, next } = FINDING_RULES[kind];
  return [
    `${state} ${kind} ${key}  (${promise}, since ${toIso(firstSeenMs)}, seen ${seen} times)`,
    `  ${meaning}`,
    `  ${JSON.stringify(evidence)}`,
    `  next: ${next}`,
  ].join('\n');
}
