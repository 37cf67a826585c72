// The `trueup` command: npm run trueup -- <command>. Exit codes: 0 done, 1 a finding or a failure, 2 wrong usage.
// Answers go to stdout, everything else to stderr. It holds no state: killed at any point, it can be run again.

import { parseEnvPart } from '../platform/env.ts';
import { UsageError, type Command, type CommandContext } from './command.ts';

const COMMANDS: readonly Command[] = [
  {
    name: 'events',
    usage: ['events validate <file|-> [--arrival <RFC 3339>] [--quiet]'],
    says: 'check usage events (NDJSON or a JSON array) as the pipeline would',
    load: async () => import('./events.ts'),
  },
  {
    name: 'keys',
    usage: [
      'keys create --source <source> --accounts <a,b|*> [--rate <events per second>] [--expires <RFC 3339>]',
      'keys rotate <key id> [--overlap-hours <n>]',
      'keys list',
      'keys revoke <key id>',
    ],
    says: 'API keys of usage sources',
    load: async () => import('./keys.ts'),
  },
  {
    name: 'period',
    usage: [
      'period status <period> [--json]',
      'period close <period> [--wait-minutes <n>]',
      'period explain <period> [--from log|truth]',
      'period adjust <period>',
      'period archive <period> --to <folder> | --dry-run',
    ],
    says: 'a billing period: where it stands, closing, adjusting, explaining, archiving it',
    load: async () => import('./period.ts'),
  },
  {
    name: 'integrity',
    usage: ['integrity run [--full <period>]', 'integrity list [--all] [--json]'],
    says: 'the continuous proof: look now, or list what stands',
    load: async () => import('./integrity.ts'),
  },
  {
    name: 'rejects',
    usage: [
      'rejects list [--account a] [--source s] [--reason R] [--from t] [--to t] [--limit n] [--json]',
      'rejects show <partition>:<offset>',
      'rejects replay <partition>:<offset> --case <id> --operator <name> --why <text> [--record <file>]',
    ],
    says: 'records that could not be counted',
    load: async () => import('./rejects.ts'),
  },
];

function describe(commands: readonly Command[]): string {
  const lines = commands.flatMap(({ usage, says }) => [...usage.map((form) => `  trueup ${form}`), `      ${says}`]);
  return `Usage (npm run trueup -- <command>):\n${lines.join('\n')}`;
}

function isUsageFault(error: unknown): error is Error {
  // node:util parseArgs names its complaints this way.
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS');
}

async function runCommand([name, ...args]: readonly string[], context: CommandContext): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help') {
    context.print(describe(COMMANDS));
    return name === undefined ? 2 : 0;
  }
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) {
    context.warn(`trueup has no command "${name}".\n${describe(COMMANDS)}`);
    return 2;
  }
  if (args.includes('--help')) {
    context.print(describe([command]));
    return 0;
  }
  try {
    return await (await command.load()).run(args, context);
  } catch (error) {
    if (isUsageFault(error)) {
      context.warn(`${error.message}\n${describe([command])}`);
      return 2;
    }
    context.warn(`trueup ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

// `trueup … | head` closes our stdout: that is the reader's wish, not a failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await runCommand(process.argv.slice(2), {
  env: (...names) => parseEnvPart(process.env, names),
  stdin: process.stdin,
  print: (line) => process.stdout.write(`${line}\n`),
  warn: (line) => process.stderr.write(`${line}\n`),
});
