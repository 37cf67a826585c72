// The files of a report in one folder, and a manifest that names each by its SHA-256, so that what finance files away can
// be checked years later. The same report gives the same bytes, apart from the PDF, which its printer dates. Writing again replaces; dying half-way leaves a
// folder without a manifest, or with one whose hashes say what is old.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NamespaceTotal } from '../../aggregate/usage.ts';
import type { ReportBeside } from '../report/beside.ts';
import { toTrend } from '../report/trend.ts';
import type { Report } from '../report/types.ts';
import { renderReportHtml } from '../report-html/page.ts';
import { costPerNamespaceTable } from './cost-per-namespace.ts';
import { formatCsv } from './csv.ts';
import { printPdf } from './pdf.ts';
import { reportTables } from './tables.ts';
import { toXlsx } from './xlsx.ts';

export type ReportFilesInput = {
  readonly report: Report;
  /** Reports of earlier periods, for the trend. */
  readonly earlier?: readonly Report[];
  /** Cases of the period and its sign-off as they stand now. */
  readonly cases?: ReportBeside['cases'];
  readonly signOff?: ReportBeside['signOff'];
  /** Closed totals of the report's period; without them there is no cost per namespace. */
  readonly totals?: readonly NamespaceTotal[];
  readonly folder: string;
  /** Path of a Chromium; without one there is no PDF. */
  readonly chromium?: string | undefined;
};

export type ReportManifest = {
  readonly schema: 'trueup.report-files.v1';
  readonly period: string;
  readonly run: string;
  readonly reportHash: string;
  readonly evidenceHash: string;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
};

const MANIFEST = 'manifest.json';

/** Everything that may be written; a folder that is used again loses these and nothing else. */
export const REPORT_FILE_NAMES = [
  MANIFEST,
  'report.html',
  'report.json',
  'report.xlsx',
  'report.pdf',
  'summary.csv',
  'bridge.csv',
  'cash_bridge.csv',
  'matches.csv',
  'breaks.csv',
  'classes.csv',
  'ageing.csv',
  'invoices.csv',
  'evidence.csv',
  'focus_cost_and_usage.csv',
];

/** Writes report.html, report.json, report.xlsx, one CSV per table, report.pdf and at last manifest.json. */
export async function writeReportFiles({
  report,
  earlier = [],
  cases,
  signOff,
  totals,
  folder,
  chromium,
}: ReportFilesInput): Promise<ReportManifest> {
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, MANIFEST), { force: true });
  const beside = { trend: toTrend([...earlier, report]), cases, signOff };
  const tables = reportTables(report, beside);
  const contents: [string, string | Buffer][] = [
    ['report.html', renderReportHtml(report, beside)],
    ['report.json', `${JSON.stringify(report, null, 2)}\n`],
    ['report.xlsx', await toXlsx(tables)],
    ...tables.map((table): [string, string] => [`${table.name}.csv`, formatCsv(table)]),
  ];
  if (totals !== undefined) {
    const table = costPerNamespaceTable(report, totals);
    contents.push([`${table.name}.csv`, formatCsv(table)]);
  }
  for (const [name, content] of contents) writeFileSync(join(folder, name), content);
  const names = contents.map(([name]) => name);
  if (chromium !== undefined) {
    await printPdf(chromium, join(folder, 'report.html'), join(folder, 'report.pdf'));
    names.push('report.pdf');
  }
  const manifest: ReportManifest = {
    schema: 'trueup.report-files.v1',
    period: report.period,
    run: report.run,
    reportHash: report.reportHash,
    evidenceHash: report.evidenceHash,
    files: names.sort().map((name) => describeFile(folder, name)),
  };
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

function describeFile(folder: string, name: string): ReportManifest['files'][number] {
  const bytes = readFileSync(join(folder, name));
  return { name, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
