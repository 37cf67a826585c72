// Prometheus and Alertmanager each come with a program that checks their files: the two are installed and found together.
// Promises: a version below the lock's minimum is refused by name, instead of misreading rules that are newer than it.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Log } from '../cache.ts';
import { fetchOutput, findProgram } from '../commands.ts';
import { installDebianPackage } from '../debian.ts';
import { StackError } from '../errors.ts';
import { versions } from '../versions.ts';
import type { Installed } from './server.ts';

type Pair = { name: 'prometheus' | 'alertmanager'; programs: readonly string[]; debian: string; checker: string };

/** Finds the server under one of its names, else installs Debian's package; returns the paths `program` and `checker`. */
export async function installWithChecker({ name, programs, debian, checker }: Pair, log: Log): Promise<Installed> {
  const onPath = programs.flatMap((program) => findProgram(program, ['/usr/bin', '/usr/local/bin']) ?? [])[0];
  const installed = onPath === undefined ? await installDebianPackage(name, debian, log) : { program: onPath };
  const { program = '' } = installed;
  const beside = join(dirname(program), checker);
  const found = existsSync(beside) ? beside : findProgram(checker);
  const { package: packageName, minimum } = versions.debian[name];
  if (found === undefined) {
    throw new StackError({
      what: `${name} is here without ${checker}`,
      where: program,
      next: `install both from one package (Debian: apt-get install ${packageName})`,
    });
  }
  const version = readVersion((await fetchOutput(program, ['--version'])).stdout);
  if (version === undefined || !isAtLeast(version, minimum)) {
    throw new StackError({
      what: `${name} ${version ?? 'of an unknown version'} is too old`,
      where: program,
      next: `install ${minimum} or later and put it on PATH`,
    });
  }
  return { ...installed, checker: found };
}

/** Runs the checker on files that the server is about to read; what it finds is an error that quotes it. */
export async function checkFiles(installed: Installed, args: readonly string[], file: string): Promise<void> {
  const { checker } = installed;
  if (checker === undefined) return; // a container brings its own, and says the same in its log
  const { code, stdout, stderr } = await fetchOutput(checker, args);
  if (code === 0) return;
  throw new StackError({
    what: 'a configuration would be refused',
    where: `${file}\n${`${stdout}\n${stderr}`.trim()}`,
    next: 'mend what these lines name, then start again',
  });
}

/** "2.42.0" out of what `--version` prints. */
export function readVersion(said: string): string | undefined {
  return /version v?(\d+(?:\.\d+)+)/.exec(said)?.[1];
}

export function isAtLeast(version: string, minimum: string): boolean {
  return version.localeCompare(minimum, 'en', { numeric: true }) >= 0;
}
