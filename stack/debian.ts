// Servers from Debian's packages. As root: apt-get install. Otherwise: apt-get download and dpkg -x into the cache folder, which needs no rights.
// Promises: installing starts no system service where we can prevent it; where we can't, ours still use free ports and own folders.
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce, type Log } from './cache.ts';
import { fetchOutput, findProgram, runStep } from './commands.ts';
import { StackError } from './errors.ts';
import type { Installed } from './servers/server.ts';
import { versions } from './versions.ts';

export type DebianName = keyof typeof versions.debian;

const policyFile = '/usr/sbin/policy-rc.d';
const quiet = { DEBIAN_FRONTEND: 'noninteractive' };

/** Installs a package and returns its program (a path below / or below the cache folder) and, unless root, its libraries. */
export async function installDebianPackage(name: DebianName, program: string, log: Log): Promise<Installed> {
  if (findProgram('apt-get') === undefined) {
    throw new StackError({
      what: `${name} is not installed and there is no apt-get to get it with`,
      where: `${process.platform}, PATH`,
      next: `install ${name} ${versions.debian[name].minimum} or later with your system’s package manager, or set its TRUEUP_* variable to a running one`,
    });
  }
  return process.getuid?.() === 0 ? installAsRoot(name, program, log) : extract(name, program, log);
}

async function installAsRoot(name: DebianName, program: string, log: Log): Promise<Installed> {
  const { package: packageName } = versions.debian[name];
  const step = { what: `installing ${packageName}`, missing: 'use a Debian or Ubuntu machine', env: quiet };
  const startedAtMs = performance.now();
  log(`installing ${packageName} …`);
  const ours = await forbidServices();
  try {
    await runStep(['apt-get', 'update', '-qq'], step);
    // The timeout makes two installers at once take turns.
    const wait = ['-o', 'DPkg::Lock::Timeout=300'];
    await runStep(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...wait, packageName], step);
  } finally {
    if (ours) await rm(policyFile, { force: true });
  }
  log(`installing ${packageName} … done ${Math.ceil((performance.now() - startedAtMs) / 1000)} s`);
  const found = await locate('/', program);
  if (found === undefined) throw notInPackage(packageName, program, '/');
  return { program: found };
}

/** Debian asks this file before it starts a service; 101 means no. Returns whether it is ours to remove. */
async function forbidServices(): Promise<boolean> {
  try {
    await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 });
    return true;
  } catch {
    return false;
  }
}

async function extract(name: DebianName, program: string, log: Log): Promise<Installed> {
  const { package: packageName } = versions.debian[name];
  const missing = 'use a Debian or Ubuntu machine';
  const step = { what: `fetching ${packageName} without root`, missing };
  // What apt-get would install here is exactly what this machine lacks.
  const plan = await fetchOutput('apt-get', ['install', '--simulate', '--no-install-recommends', packageName]);
  const packages = [...plan.stdout.matchAll(/^Inst (\S+)/gm)].flatMap(([, one]) => (one === undefined ? [] : [one]));
  if (plan.code !== 0 || packages.length === 0) {
    throw new StackError({
      what: `apt-get knows no package ${packageName}`,
      where: plan.stderr.trim(),
      next: `run "apt-get update" once as root, or install ${packageName} as root`,
    });
  }
  const folder = await installOnce(
    { name: packageName, version: 'debian', pin: packages.join(' ') },
    async (temporary) => {
      await runStep(['apt-get', 'download', '-qq', ...packages], { ...step, cwd: temporary });
      for (const file of (await readdir(temporary)).filter((entry) => entry.endsWith('.deb'))) {
        await runStep(['dpkg', '-x', join(temporary, file), temporary], step);
        await rm(join(temporary, file));
      }
    },
    log,
  );
  const found = await locate(folder, program);
  if (found === undefined) throw notInPackage(packageName, program, folder);
  return { program: found, libraries: (await libraryFolders(folder)).join(':') };
}

/** `program` below `root`; a `*` stands for the newest version folder. */
async function locate(root: string, program: string): Promise<string | undefined> {
  const [before, after] = program.split('/*/');
  if (after === undefined) return existsSync(join(root, program)) ? join(root, program) : undefined;
  const folder = join(root, before ?? '');
  const versionFolders = existsSync(folder) ? await readdir(folder) : [];
  const newestFirst = versionFolders.sort((a, b) => Number(b) - Number(a));
  return newestFirst.map((version) => join(folder, version, after)).find((path) => existsSync(path));
}

async function libraryFolders(root: string): Promise<string[]> {
  const base = join(root, 'usr', 'lib');
  const triples = existsSync(base) ? (await readdir(base)).filter((entry) => entry.includes('-linux-gnu')) : [];
  return [base, ...triples.map((triple) => join(base, triple)), ...triples.map((triple) => join(root, 'lib', triple))];
}

function notInPackage(packageName: string, program: string, root: string): StackError {
  return new StackError({
    what: `${packageName} came without ${program}`,
    where: root,
    next: 'install the server yourself and put it on PATH, or set its TRUEUP_* variable to a running one',
  });
}
