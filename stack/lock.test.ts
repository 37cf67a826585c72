import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

type Entry = {
  version?: string;
  resolved?: string;
  integrity?: string;
  optional?: boolean;
  os?: unknown;
  cpu?: unknown;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
};

const checkout = dirname(import.meta.dirname);
const readJson = (file: string): unknown => JSON.parse(readFileSync(join(checkout, file), 'utf8'));
const { packages } = readJson('package-lock.json') as { packages: Record<string, Entry> };
const manifest = readJson('package.json') as Entry;

/** Whether Node, starting at `from`, would find an entry for `name`: its own node_modules, then each parent's. */
function isResolvable(from: string, name: string): boolean {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/')))) {
    if (`${base === '' ? '' : `${base}/`}node_modules/${name}` in packages) return true;
    if (base === '') return false;
    if (!base.includes('/node_modules/')) base = '/node_modules/'; // one step above the top level is the root
  }
}

function missing(field: 'dependencies' | 'optionalDependencies'): string[] {
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys(entry[field] ?? {})
      .filter((name) => !isResolvable(path, name))
      .map((name) => `${path} → ${name}`),
  );
}

test('the lock file names no registry address', () => {
  expect(Object.keys(packages).filter((path) => packages[path]?.resolved !== undefined)).toEqual([]);
});

test('every package for another platform has an entry, without which npm ci fails there', () => {
  expect(missing('optionalDependencies')).toEqual([]);
});

test('every dependency has an entry', () => {
  expect(missing('dependencies')).toEqual([]);
});

test('what an entry lacks a checksum for is an optional package of another platform', () => {
  const unchecked = Object.entries(packages).filter(([path, entry]) => path !== '' && entry.integrity === undefined);
  expect(unchecked.filter(([, entry]) => entry.optional !== true || (entry.os ?? entry.cpu) === undefined)).toEqual([]);
});

test('package.json pins exact versions, and the lock file holds the same ones', () => {
  for (const field of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) {
    expect(packages['']?.[field]).toEqual(manifest[field]);
    for (const [name, version] of Object.entries(manifest[field] ?? {})) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(packages[`node_modules/${name}`]?.version).toBe(version);
    }
  }
});
