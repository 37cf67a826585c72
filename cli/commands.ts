// The commands of `trueup` and how a command line becomes one of them. Exit codes: 0 done, 1 a finding or a failure, 2 wrong
// usage. Answers are printed, everything else is a remark. It holds no state: killed at any point, it can be run again.

import { UsageError, type Command, type CommandContext } from './command.ts';

const COMMANDS: readonly Command[] = [
  {
    name: 'events',
    usage: ['events validate <file|-> [--arrival <RFC 3339>] [--quiet] [--json]'],
    says: 'check usage events (NDJSON or a JSON array) as the pipeline would',
    load: async () => import('./events.ts'),
  },
  {
    name: 'status',
    usage: ['status [--json]      exit 1: something is in the way of this month'],
    says: 'on one screen what stands: lag, freshness, findings, holds, cases, stuck work, the next due step',
    load: async () => import('./status.ts'),
  },
  {
    name: 'keys',
    usage: [
      'keys create --source <source> --accounts <a,b|*> [--rate <events per second>] [--expires <RFC 3339>]',
      'keys rotate <key id> [--overlap-hours <n>]',
      'keys list [--json]',
      'keys revoke <key id>',
    ],
    says: 'API keys of usage sources',
    load: async () => import('./keys.ts'),
  },
  {
    name: 'period',
    usage: [
      'period status <period> [--digests] [--json]      exit 1: a gap, or closed rows that differ from the digest',
      'period close <period> [--wait-minutes <n>] [--json]',
      'period explain <period> [--from log|truth] [--json]',
      'period adjust <period> [--json]',
      'period archive <period> --to <folder> | --dry-run [--json]',
    ],
    says: 'a billing period: where it stands, closing, adjusting, explaining, archiving it',
    load: async () => import('./period.ts'),
  },
  {
    name: 'report',
    usage: ['report <period> [--out <folder>] [--no-pdf] [--json]'],
    says: "a closed period's report as HTML, XLSX, CSV, PDF and JSON, with a manifest of hashes",
    load: async () => import('./report.ts'),
  },
  {
    name: 'audit',
    usage: [
      'audit --usage <folder | clickhouse:table> --period <period> [--stripe-key rk_…] [--out <folder>] [--json]',
    ],
    says: 'an existing Stripe account against own usage, read only; TRUEUP_STRIPE_AUDIT_KEY may hold the key',
    load: async () => import('./audit.ts'),
  },
  {
    name: 'explain',
    usage: [
      'explain invoice <id or number> [--line <meter> [--hour <time>]] [--limit n] [--json]',
      'explain event <id> [--subject <namespace>] [--source <source>] [--json]',
    ],
    says: 'from an invoice to tiers, hours and raw events, and from an event to the line that charged it',
    load: async () => import('./explain.ts'),
  },
  {
    name: 'accounting',
    usage: [
      'accounting accrual [--at <RFC 3339>] [--out <folder>] [--csv|--json]',
      'accounting credits [--period p] [--out <folder>] [--csv|--json]',
      'accounting journal <period> [--out <folder>] [--csv|--json]',
    ],
    says: 'what finance books: unbilled accrual, prepaid credit rolled forward, invoices as double entries; exit 1: an account could not be read',
    load: async () => import('./accounting.ts'),
  },
  {
    name: 'people',
    usage: [
      'people list [--json]',
      'people set <person> --roles <preparer,reviewer,operator,reopener|none> --as <operator>',
    ],
    says: 'who may act on the books; the first person is set without --as, nobody changes the own roles',
    load: async () => import('./people.ts'),
  },
  {
    name: 'runs',
    usage: [
      'runs start <period>      starts the close of an ended period, or one that failed once more',
      'runs list [<period>] [--json]',
      'runs show <run> [--json]',
      'runs diff <run> <run> [--json]      exit 1: they report differently',
      'runs rerun <period> --offline [--json]      exit 1: stored evidence gives other hashes',
      'runs rerun <period> --why <text> --as <person> [--json]      exit 1: it reports differently',
    ],
    says: "a period's runs: starting the close, and what superseded it; again from stored evidence, or afresh",
    load: async () => import('./runs.ts'),
  },
  {
    name: 'cases',
    usage: [
      'cases list [--period p] [--account a] [--all] [--json]      exit 1: a case is overdue',
      'cases show <case> [--json]',
      'cases assign <case> --to <person> --as <person>',
      'cases investigate <case> --as <person>',
      'cases comment <case> --text <text> --as <person>',
      'cases attach <case> --evidence <hash or link> --text <what it shows> --as <person>',
      'cases accept|close|reopen <case> --reason <why> --as <person>',
    ],
    says: 'what people do about the differences a run found; high and critical ones are settled by a reviewer',
    load: async () => import('./cases.ts'),
  },
  {
    name: 'repair',
    usage: [
      'repair plan <case> --kind <kind> --reason <why> [--invoice in_…] [--settle balance|refund|out_of_band] [--dry-run] --as <preparer>',
      'repair show <repair> [--json]      exit 1: it was applied and does not hold',
      'repair list [--period p] [--account a] [--json]',
      'repair approve <repair> --plan-hash <hash> --as <reviewer>',
      'repair apply <repair> --as <preparer>',
      'repair drop <repair> --reason <why> --as <preparer>',
      'repair bulk plan <name> --source s --from t --to t [--account a] --void|--factor <f>|--quantities <csv> --reason <why> [--dry-run] --as <preparer>',
      'repair rerate plan <name> --period p --price <meter>=<tiers>... [--account a|--plan p] --reason <why> [--dry-run] --as <preparer>',
      'repair bulk show <name> [--json]      exit 1: an account has a problem; so do plan and apply',
      'repair bulk approve <name> --plan-hash <hash> --as <reviewer>',
      'repair bulk apply <name> --as <preparer>',
      'repair bulk drop <name> --reason <why> --as <preparer>',
    ],
    says: 'correct at Stripe what a case is about (resend_hour, invoice_item, credit_note, reissue, next_period, write_off), usage of a source, or a price',
    load: async () => import('./repair.ts'),
  },
  {
    name: 'sign-off',
    usage: [
      'sign-off status <period> [--json]      exit 1: a signature no longer holds',
      'sign-off prepare <period> [--despite <why it is signed with unsettled cases>] --as <preparer>',
      'sign-off approve <period> --as <reviewer>',
      'sign-off reopen <period> --reason <why> --as <reopener>',
    ],
    says: 'a closed period: prepared by one person, approved by another, then locked until it is reopened',
    load: async () => import('./sign-off.ts'),
  },
  {
    name: 'holds',
    usage: [
      'holds list [--all] [--json]      exit 1: something is held',
      'holds add --account <account>|--global [--pushes] [--finalization] --reason <why> --until <RFC 3339> --as <person>',
      'holds release <hold> --reason <why> --as <person>',
    ],
    says: 'keep usage from being pushed or invoices from being finalized (both, unless one is named)',
    load: async () => import('./holds.ts'),
  },
  {
    name: 'tenants',
    usage: [
      'tenants list [--limit n] [--json]      exit 1: only pins are known',
      'tenants pin <account> --reason <why> --as <operator>',
      'tenants unpin <account> --as <operator>',
    ],
    says: 'who has a series of their own in metrics: the largest by usage, and those that are pinned',
    load: async () => import('./tenants.ts'),
  },
  {
    name: 'audit-log',
    usage: [
      'audit-log verify [--anchor <entry>:<hash>]... [--json]      exit 1: it is not what was written',
      'audit-log list [--after <entry>] [--limit n] [--subject s] [--json]',
      'audit-log anchor [--json]',
    ],
    says: 'who did what to the books, as one chain of hashes; keep an anchor outside to prove it later',
    load: async () => import('./audit-log.ts'),
  },
  {
    name: 'integrity',
    usage: [
      'integrity run [--full <period>]',
      'integrity list [--all] [--json]',
      'integrity restore',
      'integrity reread --since <RFC 3339>',
    ],
    says: 'the continuous proof: look now, list what stands, restore lost parts of tables or all that came since from the log',
    load: async () => import('./integrity.ts'),
  },
  {
    name: 'migrate',
    usage: ['migrate [--plan]', 'migrate --contract [--despite-older]      exit 1: older processes run'],
    says: "the databases' schema, ahead of a release's processes: adds at once, takes away only on --contract",
    load: async () => import('./migrate.ts'),
  },
  {
    name: 'doctor',
    usage: ['doctor [--ready <host:port>]... [--json]      exit 1: there is a problem'],
    says: 'is this installation set up right: configuration, servers, schema, rights, topics, clocks, Stripe; changes nothing',
    load: async () => import('./doctor.ts'),
  },
  {
    name: 'recover',
    usage: [
      'recover postgres',
      'recover clickhouse --since <RFC 3339|start>',
      'recover clickhouse --finish      exit 1: the log is not read yet',
    ],
    says: 'after one of the stores was restored from a backup, and before any process starts on it',
    load: async () => import('./recover.ts'),
  },
  {
    name: 'rejects',
    usage: [
      'rejects list [--account a] [--source s] [--reason R] [--from t] [--to t] [--happened-from t] [--happened-to t] [--limit n] [--json]',
      'rejects show <partition>:<offset> [--json]',
      'rejects replay <partition>:<offset> --case <id> --operator <name> --why <text> [--record <file>] [--json]',
    ],
    says: 'records that could not be counted; --from and --to mean their arrival, --happened-from and --happened-to their own time',
    load: async () => import('./rejects.ts'),
  },
];

const EXIT_CODES =
  'Exit codes: 0 done, 1 a finding or a failure, 2 wrong usage. Answers go to stdout, remarks and progress to stderr.';

function describe(commands: readonly Command[]): string {
  const lines = commands.flatMap(({ usage, says }) => [...usage.map((form) => `  trueup ${form}`), `      ${says}`]);
  return `Usage (npm run trueup -- <command>):\n${lines.join('\n')}\n${EXIT_CODES}`;
}

function isUsageFault(error: unknown): error is Error {
  // node:util parseArgs names its complaints this way.
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS');
}

/** Runs one command line and resolves with its exit code. Throws nothing: what went wrong is told and answered with 1 or 2. */
export async function runCommand([name, ...args]: readonly string[], context: CommandContext): Promise<number> {
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
