// trueup report: the files of a closed period's report, written anew from what its run stored. Exit code 1 says that the
// period does not tie.

import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { createUsage } from '../aggregate/usage.ts';
import { parsePeriod } from '../domain/period.ts';
import { fetchCases, fetchSignOffStatus } from '../reconcile/books.ts';
import { fetchReport, fetchReportsBefore, findChromium, toVerdict, writeReportFiles } from '../reconcile/door.ts';
import { UsageError, type Run } from './command.ts';
import { toJson } from './json.ts';
import { withStores } from './stores.ts';

export const run: Run = async (args, context) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    allowNegative: true,
    options: {
      out: { type: 'string' },
      pdf: { type: 'boolean', default: true },
      json: { type: 'boolean', default: false },
    },
  });
  const [key, ...rest] = positionals;
  if (key === undefined || rest.length > 0) throw new UsageError('name one period, such as 2026-10');
  const period = parsePeriod(key);
  const folder = values.out ?? join('out', `report-${period.key}`);
  return withStores(context, async ({ deps, db }) => {
    const report = await fetchReport(db, period.key);
    if (report === undefined) {
      context.warn(`${period.key} has no report yet: trueup period status ${period.key} says where it stands`);
      return 1;
    }
    const chromium = values.pdf ? findChromium(context.env('TRUEUP_CHROMIUM', 'PATH')) : undefined;
    if (values.pdf && chromium === undefined) {
      context.warn('no PDF: there is no Chromium on the PATH; set TRUEUP_CHROMIUM to one, or print report.html');
    }
    context.warn(`writing ${folder}`);
    const totals = await createUsage(deps).fetchClosedTotals(period);
    const manifest = await writeReportFiles({
      report,
      earlier: await fetchReportsBefore(db, period.key),
      cases: await fetchCases(db, { period: period.key }),
      signOff: await fetchSignOffStatus(db, period.key),
      totals,
      folder,
      chromium,
    });
    if (values.json) context.print(toJson(manifest));
    else {
      const { headline, detail } = toVerdict(report);
      context.print(`${headline} ${detail}`);
      for (const { name, sha256 } of manifest.files) context.print(`${sha256}  ${join(folder, name)}`);
      context.print(`report ${manifest.reportHash}, evidence ${manifest.evidenceHash}`);
    }
    return report.verdict.result === 'clean' ? 0 : 1;
  });
};
