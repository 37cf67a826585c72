// The `trueup` command: npm run trueup -- <command>. Commands and exit codes are those of commands.ts.

import { parseEnvPart } from '../platform/env.ts';
import { runCommand } from './commands.ts';

// `trueup … | head` closes our stdout: that is the reader's wish, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
const code = await runCommand(process.argv.slice(2), {
  env: (...names) => parseEnvPart(process.env, names),
  variables: process.env,
  stdin: process.stdin,
  print: (line) => process.stdout.write(`${line}\n`),
  warn: (line) => process.stderr.write(`${line}\n`),
});
// A server that never answers must not hold the process. What was printed goes first: stdout may be a pipe.
process.stdout.write('', () => process.exit(code));
