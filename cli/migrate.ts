// trueup migrate: the schema of both databases, a release ahead of the processes that use it. It adds (expand) before the
// new processes start, while the old ones run on; it takes away (contract) only when nothing older runs any more.
// Killed at any point, it is run again; two of them at once take turns.

import { parseArgs } from 'node:util';
import { migrate, planMigration, type MigrateOptions } from '../platform/migrate.ts';
import type { SchemaPlan } from '../platform/schema-plan.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';

export const run: Run = async (args, context) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      plan: { type: 'boolean', default: false },
      contract: { type: 'boolean', default: false },
      'despite-older': { type: 'boolean', default: false },
    },
  });
  if (values.plan && values.contract) throw new UsageError('--plan shows both; --contract carries out');
  if (values['despite-older'] && !values.contract) throw new UsageError('--despite-older goes with --contract');
  const options = optionsOf(context);
  const plan = await planMigration(options);
  if (values.plan) {
    for (const line of describe(plan)) context.print(line);
    return 0;
  }
  const contract = values.contract && values['despite-older'] ? 'despite older' : values.contract;
  const applied = await migrate({ ...options, contract });
  for (const name of applied) context.print(`applied  ${name}`);
  if (applied.length === 0) context.warn('nothing to apply');
  if (!values.contract && plan.contract.length > 0) {
    context.warn(`${plan.contract.length} contract files wait: once every process runs this release, --contract`);
  }
  return 0;
};

function optionsOf(context: CommandContext): MigrateOptions {
  const env = context.env(
    'TRUEUP_POSTGRES_URL',
    'TRUEUP_CLICKHOUSE_URL',
    'TRUEUP_CLICKHOUSE_DATABASE',
    'TRUEUP_CLICKHOUSE_CLUSTER',
  );
  return {
    postgresUrl: env.TRUEUP_POSTGRES_URL,
    clickhouseUrl: env.TRUEUP_CLICKHOUSE_URL,
    clickhouseDatabase: env.TRUEUP_CLICKHOUSE_DATABASE,
    clickhouseCluster: env.TRUEUP_CLICKHOUSE_CLUSTER,
  };
}

function describe({ expand, contract, newer }: SchemaPlan): string[] {
  const lines = [
    ...expand.map(({ name }) => `expand    ${name}`),
    ...contract.map(({ name }) => `contract  ${name}   (waits for --contract)`),
    ...newer.map(({ name, phase }) => `newer     ${name}   (${phase}, applied by a newer release)`),
  ];
  return lines.length === 0 ? ['nothing waits'] : lines;
}
