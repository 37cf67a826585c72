// The variables that processes on a stack run with, written down by whoever starts them, so that the command line of the
// same checkout can talk to the same servers. Lives and goes with the stack's folder; readable by its owner only.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StackError } from './errors.ts';
import { isAlive, readStates, type StackState } from './state.ts';

type Variables = Record<string, string>;

const fileName = 'variables.json';

export function writeVariables({ folder }: { folder: string }, variables: Variables): void {
  const file = join(folder, fileName);
  writeFileSync(`${file}.new`, `${JSON.stringify(variables, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export type Running = { name: string; variables: Variables };

/** The stack whose processes the command line means: the only one that is up. Undefined when none is. */
export function findRunning(states: readonly StackState[] = readStates().filter(isAlive)): Running | undefined {
  const running = states.flatMap(({ name, folder }) => {
    const variables = readVariables(folder);
    return variables === undefined ? [] : [{ name, variables }];
  });
  const [only, ...others] = running;
  if (others.length === 0) return only;
  throw new StackError({
    what: `${running.length} stacks are up: ${running.map(({ name }) => name).join(', ')}`,
    where: 'npm run trueup',
    next: 'name one: TRUEUP_STACK_NAME=<name> npm run trueup -- …, or set the TRUEUP_* variables',
  });
}

function readVariables(folder: string): Variables | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, fileName), 'utf8')) as Variables;
  } catch {
    return undefined; // nobody runs processes on it
  }
}
