// The versions we need and the ones we know. Pure.

import { ok, problem, unknown, warning, type Finding } from '../finding.ts';

type Requirement = {
  readonly least: string;
  readonly why: string;
  /** The oldest one our tests run on, where an older one would do by all we know. */
  readonly tested?: string;
};

export const REQUIREMENTS = {
  Node: { least: '24.0', why: 'it runs TypeScript as it stands' },
  ClickHouse: {
    least: '23.12',
    why: 'partitions of any size are dropped by a setting of the statement',
    tested: '26.7',
  },
  PostgreSQL: { least: '15', why: 'the schema is written for it' },
  Redis: { least: '6.2', why: 'the job queue needs its commands' },
  Temporal: {
    least: '1.20',
    why: 'workflows are found by type in its visibility store, and schedules start them',
    tested: '1.29',
  },
} as const satisfies Readonly<Record<string, Requirement>>;

export type Versioned = keyof typeof REQUIREMENTS;

/** `found` is what the program says of itself, with whatever words stand around the number. */
export function judgeVersion(name: Versioned, found: string): Finding {
  const requirement: Requirement = REQUIREMENTS[name];
  const version = /\d+(?:\.\d+)*/.exec(found)?.[0];
  if (version === undefined)
    return unknown('version', `it calls itself "${found}"`, `see that it is ${requirement.least} or later`);
  if (isOlder(version, requirement.least)) {
    const says = `${version} is older than ${requirement.least}: ${requirement.why}`;
    return problem('version', says, `upgrade ${name} to ${requirement.least} or later`);
  }
  if (requirement.tested !== undefined && isOlder(version, requirement.tested)) {
    const says = `${version} is older than what our tests run on (${requirement.tested})`;
    return warning('version', says, `upgrade ${name}, or run npm run test:it against it`);
  }
  return ok('version', `${version}, at least ${requirement.least} is needed`);
}

function isOlder(version: string, than: string): boolean {
  const [ours, theirs] = [version.split('.').map(Number), than.split('.').map(Number)];
  for (const [place, number] of theirs.entries()) {
    const difference = (ours[place] ?? 0) - number;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
