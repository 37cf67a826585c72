// A command line in this process, as main.ts would run it, with what it said.

import { Readable } from 'node:stream';
import { parseEnvPart } from '../../platform/env.ts';
import { runCommand } from '../commands.ts';

export type Said = { readonly code: number; readonly out: string; readonly err: string };

/** Words are split at spaces; 'single quotes' keep some together. `variables` is the whole environment it sees. */
export async function runTrueup(line: string, variables: NodeJS.ProcessEnv): Promise<Said> {
  const words = line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommand(words, {
    env: (...names) => parseEnvPart(variables, names),
    variables,
    stdin: Readable.from([]),
    print: (text) => out.push(text),
    warn: (text) => err.push(text),
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}
