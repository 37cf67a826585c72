import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { NamespaceTotal } from '../../aggregate/usage.ts';
import { sampleReport } from '../report-html/sample-report.ts';
import type { Report } from '../report/types.ts';
import { costPerNamespaceTable } from './cost-per-namespace.ts';
import { REPORT_FILE_NAMES, writeReportFiles } from './files.ts';
import { reportTables } from './tables.ts';

const report = sampleReport();
const folder = mkdtempSync(join(tmpdir(), 'report-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Three namespaces an account, of unequal use. */
const totals: NamespaceTotal[] = report.accounts.flatMap(({ account, meters }) =>
  meters.flatMap(({ meter, quantity }) => {
    const whole = BigInt(quantity);
    const parts = [whole / 7n, whole / 3n, whole - whole / 7n - whole / 3n];
    return parts.map((part, index) => ({
      account,
      namespace: `ns${index}.${account}`,
      meter,
      quantity: part,
      events: 1n,
    }));
  }),
);

const amountOf = (text: string) => BigInt(text.replace('.', ''));

describe('the files of a report', () => {
  test('the manifest names every file by its SHA-256, and nothing else lies there', async () => {
    const manifest = await writeReportFiles({ report, totals, folder });
    expect(readdirSync(folder).sort()).toEqual([...manifest.files.map(({ name }) => name), 'manifest.json'].sort());
    for (const { name, sha256 } of manifest.files) {
      expect(
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
        name,
      ).toBe(sha256);
    }
    expect(REPORT_FILE_NAMES.filter((name) => name !== 'report.pdf').sort()).toEqual(readdirSync(folder).sort());
    expect(manifest.reportHash).toBe(report.reportHash);
  });

  test('the same report gives the same bytes', async () => {
    const first = await writeReportFiles({ report, totals, folder });
    expect(await writeReportFiles({ report, totals, folder })).toEqual(first);
  });

  test('the workbook has a sheet for each table', async () => {
    await writeReportFiles({ report, folder });
    const bytes = readFileSync(join(folder, 'report.xlsx'));
    expect(bytes.subarray(0, 2).toString()).toBe('PK');
    expect(reportTables(report).map(({ name }) => name)).toEqual([
      'summary',
      'bridge',
      'cash_bridge',
      'matches',
      'breaks',
      'classes',
      'ageing',
      'invoices',
      'evidence',
    ]);
  });

  test('every row has a cell for each column', () => {
    for (const { name, columns, rows } of [...reportTables(report), costPerNamespaceTable(report, totals)]) {
      expect(new Set(columns).size, name).toBe(columns.length);
      for (const row of rows) expect(row, name).toHaveLength(columns.length);
    }
  });
});

describe('cost per namespace', () => {
  const table = costPerNamespaceTable(report, totals);
  const column = (name: string) => table.columns.indexOf(name);
  const sumOf = (account: string, name: string) =>
    table.rows.reduce((sum, row) => {
      const [who, cell] = [row[0], row[column(name)]];
      if (who?.kind !== 'text' || who.text !== account || cell === undefined || cell.kind === 'unknown') return sum;
      return sum + amountOf(cell.text);
    }, 0n);
  const billed = report.accounts.filter(({ invoicedMinor }) => invoicedMinor !== null);

  test("adds up to each account's invoice, to the minor unit", () => {
    expect(billed.length).toBeGreaterThan(40);
    for (const { account, invoicedMinor } of billed) {
      expect(sumOf(account, 'BilledCost'), account).toBe(BigInt(invoicedMinor ?? '0'));
    }
  });

  test('adds up to what was rated, whatever was invoiced', () => {
    for (const { account, totalMinor } of report.accounts.filter((row) => row.totalMinor !== null)) {
      expect(sumOf(account, 'EffectiveCost'), account).toBe(BigInt(totalMinor ?? '0'));
    }
  });

  test('says unknown, not zero, where no invoice was issued', () => {
    const held = report.accounts.find(({ state }) => state === 'held') as Report['accounts'][number];
    const cells = table.rows.filter(([who]) => who?.kind === 'text' && who.text === held.account);
    expect(cells.length).toBeGreaterThan(0);
    expect(cells.every((row) => row[column('BilledCost')]?.kind === 'unknown')).toBe(true);
  });
});
