// What a command of `trueup` is. Each is one file with a `run`, listed in main.ts and loaded only when it is named.

import type { Readable } from 'node:stream';
import type { Env } from '../platform/env.ts';

export type CommandContext = {
  /** Reads and checks the named variables only, so that a command asks for no more servers than it uses. */
  env<Name extends keyof Env>(...names: Name[]): Pick<Env, Name>;
  /** The environment as it is, wrong or not: for the command that judges it. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  /** One line to stdout: the answer. */
  print(line: string): void;
  /** One line to stderr: what is not part of the answer. */
  warn(line: string): void;
};

/** Resolves with the exit code: 0 done, 1 done with a finding (a rejected event, a mismatch). Throws when it could not be done. */
export type Run = (args: readonly string[], context: CommandContext) => Promise<number>;

export type Command = {
  /** First word after `trueup`; the words after it are the command's own. */
  readonly name: string;
  /** One line per form, without the leading `trueup`. */
  readonly usage: readonly string[];
  readonly says: string;
  readonly load: () => Promise<{ readonly run: Run }>;
};

/** The command line itself is at fault: the usage is printed and the exit code is 2. */
export class UsageError extends Error {}
