// The `trueup` command: npm run trueup -- <command>. Commands and exit codes are those of commands.ts.

import { parseEnvPart } from '../platform/env.ts';
import { runCommand } from './commands.ts';

// `trueup … | head` closes our stdout: that is the reader's wish, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await runCommand(process.argv.slice(2), {
  env: (...names) => parseEnvPart(process.env, names),
  stdin: process.stdin,
  print: (line) => process.stdout.write(`${line}\n`),
  warn: (line) => process.stderr.write(`${line}\n`),
});
