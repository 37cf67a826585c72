// trueup audit: an existing Stripe account against own usage, read only. Exit code 1 says that they differ. Nothing is
// written but the report.

import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { createClickHouse } from '../platform/clickhouse.ts';
import { parsePeriod, type Period } from '../domain/period.ts';
import {
  createStripeAudit,
  findChromium,
  readCodeVersion,
  readUsageFolder,
  readUsageTable,
  runAudit,
  toVerdict,
  writeReportFiles,
} from '../reconcile/door.ts';
import { UsageError, type CommandContext, type Run } from './command.ts';
import { toJson } from './json.ts';

const TABLE = 'clickhouse:';

export const run: Run = async (args, context) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'stripe-key': { type: 'string' },
      usage: { type: 'string' },
      period: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { usage: source, period: periodKey } = values;
  if (source === undefined || periodKey === undefined) throw new UsageError('say --usage and --period');
  const period = parsePeriod(periodKey);
  const key = values['stripe-key'] ?? context.env('TRUEUP_STRIPE_AUDIT_KEY').TRUEUP_STRIPE_AUDIT_KEY;
  if (key === undefined)
    throw new UsageError(
      'say --stripe-key rk_…, or set TRUEUP_STRIPE_AUDIT_KEY, which keeps it out of the shell history',
    );
  const audit = createStripeAudit({ key, url: context.env('TRUEUP_STRIPE_URL').TRUEUP_STRIPE_URL });
  const { usage, rows, outside } = await readUsage(source, period, context);
  context.warn(`${rows} usage records of ${usage.size} customers, ${outside} of them outside ${period.key}`);
  const { report, limits } = await runAudit({
    audit,
    usage,
    period,
    nowMs: Date.now(),
    codeVersion: readCodeVersion(),
    onProgress: (done, of) => {
      if (done % 50 === 0 || done === of) context.warn(`${done} of ${of} customers read`);
    },
  });
  const folder = values.out ?? join('out', `audit-${period.key}`);
  const manifest = await writeReportFiles({
    report,
    folder,
    chromium: findChromium(context.env('TRUEUP_CHROMIUM', 'PATH')),
  });
  for (const limit of limits) context.warn(limit);
  if (values.json) context.print(toJson({ ...manifest, limits }));
  else {
    const { headline, detail } = toVerdict(report);
    context.print(`${headline} ${detail}`);
    for (const found of report.breaks) {
      context.print(
        `${found.code} ${found.account} ${found.meter ?? ''} ${found.amountMinor} ${found.currency} (minor units)`,
      );
    }
    context.print(`written to ${folder}`);
  }
  return report.verdict.result === 'clean' ? 0 : 1;
};

async function readUsage(source: string, period: Period, context: CommandContext) {
  if (!source.startsWith(TABLE)) return readUsageFolder(source, period);
  const env = context.env('TRUEUP_CLICKHOUSE_URL', 'TRUEUP_CLICKHOUSE_DATABASE');
  const clickhouse = createClickHouse({ url: env.TRUEUP_CLICKHOUSE_URL, database: env.TRUEUP_CLICKHOUSE_DATABASE });
  try {
    return await readUsageTable(clickhouse, source.slice(TABLE.length), period);
  } finally {
    await clickhouse.close();
  }
}
