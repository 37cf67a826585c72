// The schema recorded in the databases against the one of this checkout. Pure.

import type { SchemaPlan } from '../../../platform/schema-plan.ts';
import { ok, problem, warning, type Finding } from '../finding.ts';

const CHECK = 'migrations';

export function judgeSchema({ expand, contract, newer }: SchemaPlan, files: number): Finding[] {
  const taken = newer.filter(({ phase }) => phase === 'contract');
  const added = newer.filter(({ phase }) => phase === 'expand');
  const findings: Finding[] = [];
  if (expand.length > 0) {
    findings.push(problem(CHECK, `${expand.length} of ${files} are pending: ${list(expand)}`, 'run "trueup migrate"'));
  }
  if (taken.length > 0) {
    const says = `a newer release took away what this one uses: ${list(taken)}`;
    findings.push(problem(CHECK, says, 'run the newer release'));
  }
  if (added.length > 0) {
    const says = `the databases are ahead of this release: ${list(added)}`;
    findings.push(warning(CHECK, says, 'this release works on them; go on with the newer one'));
  }
  if (contract.length > 0) {
    const says = `${list(contract)} would take away what no release uses any more`;
    findings.push(warning(CHECK, says, 'once every process runs this release: "trueup migrate --contract"'));
  }
  return findings.length > 0 ? findings : [ok(CHECK, `all ${files} files are applied, none has changed`)];
}

function list(files: readonly { readonly name: string }[]): string {
  return files.map(({ name }) => name).join(', ');
}
