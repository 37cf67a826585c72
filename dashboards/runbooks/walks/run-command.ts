// Runs a command of a runbook as it stands there. `trueup` is called in this process, which saves the start of npm and node
// for every one of some hundred commands; everything else goes to a shell.

import { join } from 'node:path';
import { runTrueup } from '../../../cli/testing/run-trueup.ts';
import { fetchOutput } from '../../../stack/commands.ts';

const ROOT = join(import.meta.dirname, '../../..');
const TRUEUP = 'npm run trueup -- ';
const STACK_LOGS = 'npm run stack -- logs ';

export type Ran = { readonly code: number; readonly output: string };

/** `stackName`: whose logs are meant where other stacks may be up beside it. */
export async function runCommand(
  command: string,
  variables: Readonly<Record<string, string>>,
  stackName: string,
): Promise<Ran> {
  if (command.startsWith(TRUEUP)) {
    const { code, out, err } = await runTrueup(command.slice(TRUEUP.length), variables);
    return { code, output: `${out}\n${err}` };
  }
  const line = command.startsWith(STACK_LOGS) ? `${command} ${stackName}` : command;
  const { code, stdout, stderr } = await fetchOutput('bash', ['-c', line], { cwd: ROOT, env: { ...variables } });
  return { code, output: `${stdout}\n${stderr}` };
}
