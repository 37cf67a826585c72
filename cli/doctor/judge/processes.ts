// Who runs: what processes wrote into the registry, and what those say that were named. Pure.

import type { RegisteredProcess } from '../../../platform/process-registry.ts';
import { ok, problem, warning, type Finding } from '../finding.ts';

/** Without one of these, usage stops somewhere on its way to an invoice. */
const NEEDED = ['ingest', 'aggregate', 'integrity', 'reconcile'];

export function judgeProcesses(running: readonly RegisteredProcess[], schemaLevel: number): Finding[] {
  const missing = NEEDED.filter((name) => !running.some((one) => one.name === name));
  const older = running.filter((one) => one.schemaLevel < schemaLevel);
  const findings: Finding[] = [];
  if (missing.length > 0) {
    const says = `no ${missing.join(', ')} runs on this database`;
    findings.push(warning('running', says, 'start them; usage stops where one is missing'));
  } else {
    findings.push(ok('running', running.map(({ id }) => id).join(', ')));
  }
  if (older.length > 0) {
    const says = `of an older release: ${older.map(({ id }) => id).join(', ')}`;
    findings.push(warning('release', says, 'replace them before "trueup migrate --contract"'));
  }
  return findings;
}

/** An answer of GET /readyz, or why none came. */
export type Readiness =
  | { readonly answered: true; readonly ready: boolean; readonly checks: Readonly<Record<string, string>> }
  | { readonly answered: false; readonly why: string };

export function judgeReadiness(target: string, readiness: Readiness): Finding {
  const check = `ready ${target}`;
  if (!readiness.answered) {
    return problem(check, `does not answer: ${readiness.why}`, 'start the process, or correct its TRUEUP_OPS_PORT');
  }
  if (readiness.ready) return ok(check, Object.keys(readiness.checks).join(', '));
  const failing = Object.entries(readiness.checks).filter(([, answer]) => answer !== 'ok');
  const says = failing.map(([name, answer]) => `${name}: ${answer}`).join('; ');
  return problem(check, `not ready: ${says}`, 'mend what it names');
}
