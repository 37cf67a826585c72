// Figures of several rounds: medians and ranges, a table, a file with all that is needed to judge them later.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

export type Spread = { readonly median: number; readonly least: number; readonly most: number };

export function computeSpread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
  return { median, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN };
}

export function roundTo(value: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    )
    .join('\n');
}

function describeMachine(): Record<string, string | number> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: roundTo(totalmem() / 2 ** 30, 1),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    load: readFileSync('/proc/loadavg', 'latin1').trim(),
  };
}

function readVersions(): Record<string, string> {
  const root = join(import.meta.dirname, '..');
  const lock = JSON.parse(readFileSync(join(root, 'stack/versions.lock.json'), 'utf8')) as {
    kafka: { version: string };
  };
  const packages = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string;
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  return {
    trueup: packages.version,
    commit: readCommit(root),
    kafka: lock.kafka.version,
    chdb: packages.devDependencies['chdb'] ?? '',
    kafkajs: packages.dependencies['kafkajs'] ?? '',
  };
}

function readCommit(root: string): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '-uno') === '' ? '' : ' with changes'}`;
  } catch {
    return 'unknown';
  }
}

/** Leaves the figures in results/ with time, machine and versions, and prints where. */
export function recordResults(measure: string, { name, line, ...details }: Figures): void {
  const at = new Date().toISOString();
  const file = name ?? `${measure}-${at.slice(0, 16).replace(':', '')}`;
  const results = { at, line, machine: describeMachine(), versions: readVersions(), ...details };
  console.log(`written to ${writeResults(file, results)}`);
}

type Figures = {
  /** Of the file; the measure and the date by default. */
  readonly name: string | undefined;
  /** What the bench prints last. */
  readonly line: Readonly<Record<string, unknown>>;
  readonly [detail: string]: unknown;
};

function writeResults(name: string, results: object): string {
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.json`);
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
  return path;
}
