// How one server is looked at: its variables, then whether it answers, then all else. What depends on an answer that did not
// come is named as not checked.

import { TrueupError } from '../../domain/contracts/errors.ts';
import { problem, unknown, type Area, type Finding } from './finding.ts';
import { learn } from './fact.ts';

export type Examination<Opened> = {
  readonly area: string;
  /** Reads the variables and opens what is asked with. Throws `rejected` ENV_INVALID, which the configuration tells about. */
  readonly open: () => Opened;
  readonly close: (opened: Opened) => Promise<unknown>;
  /** For people: where the server is looked for, and the variable that says so. */
  readonly place: (opened: Opened) => string;
  readonly variable: string;
  /** A request that any healthy server of this kind answers. */
  readonly greet: (opened: Opened) => Promise<unknown>;
  readonly look: (opened: Opened) => Promise<readonly Finding[]>;
  /** What `look` would have said something about. */
  readonly checks: readonly string[];
};

export async function examine<Opened>(examination: Examination<Opened>): Promise<Area> {
  const { area, variable } = examination;
  const opened = openOrNothing(examination.open);
  if (opened === undefined) {
    const why = `${variable}, or another variable it needs, is not set or not valid`;
    return { area, findings: skip(['answers', ...examination.checks], why, 'see configuration') };
  }
  try {
    const greeting = await learn(async () => examination.greet(opened.value));
    if (greeting.known) return { area, findings: await examination.look(opened.value) };
    const says = `${examination.place(opened.value)} does not answer: ${greeting.error.message}`;
    const findings = [
      problem('answers', says, `start it, or correct ${variable}`),
      ...skip(examination.checks, 'it does not answer', 'run this again once it answers'),
    ];
    return { area, findings };
  } finally {
    await learn(async () => examination.close(opened.value), CLOSE_WITHIN_MS);
  }
}

const CLOSE_WITHIN_MS = 1_000;

function skip(checks: readonly string[], why: string, next: string): Finding[] {
  return checks.map((check) => unknown(check, why, next));
}

function openOrNothing<Opened>(open: () => Opened): { readonly value: Opened } | undefined {
  try {
    return { value: open() };
  } catch (error) {
    if (error instanceof TrueupError && error.code === 'ENV_INVALID') return undefined;
    throw error;
  }
}
