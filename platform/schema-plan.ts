// What stands between the schema a checkout knows and the one that is recorded in the databases. Pure.

import { sha256 } from '../domain/canonical.ts';
import { TrueupError } from '../domain/contracts/errors.ts';
import type { SchemaFile, SchemaPhase } from './schema-files.ts';

/** A file as it was recorded when it was applied. */
export type AppliedFile = { readonly name: string; readonly hash: string; readonly phase: SchemaPhase };

export type SchemaPlan = {
  /** Not applied, in their order: what adds, and what takes away. */
  readonly expand: readonly SchemaFile[];
  readonly contract: readonly SchemaFile[];
  /** Applied by a newer release: this checkout doesn't know them. */
  readonly newer: readonly AppliedFile[];
};

/** Throws `bug` SCHEMA_CHANGED when a file is not what was applied. */
export function computeSchemaPlan(files: readonly SchemaFile[], applied: readonly AppliedFile[]): SchemaPlan {
  const recorded = new Map(applied.map((file) => [file.name, file]));
  const changed = files.find((file) => {
    const hash = recorded.get(file.name)?.hash;
    return hash !== undefined && hash !== sha256(file.text);
  });
  if (changed !== undefined) {
    throw new TrueupError({
      kind: 'bug',
      code: 'SCHEMA_CHANGED',
      message: `${changed.name} changed after it was applied`,
      next: 'restore it and put the change into a new file with the next number',
    });
  }
  const known = new Set(files.map(({ name }) => name));
  const pending = files.filter(({ name }) => !recorded.has(name));
  return {
    expand: pending.filter(({ phase }) => phase === 'expand'),
    contract: pending.filter(({ phase }) => phase === 'contract'),
    newer: applied.filter(({ name }) => !known.has(name)),
  };
}

/**
 * May a process of this checkout work on these databases? On what was only expanded since, yes. Throws `rejected`
 * SCHEMA_BEHIND when they lack what it needs, SCHEMA_AHEAD when what it needs was taken away. Contract files that wait are
 * no matter: the release that brings one no longer uses what it takes away.
 */
export function checkUsable({ expand, newer }: SchemaPlan): void {
  if (expand.length > 0) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'SCHEMA_BEHIND',
      message: `the databases lack ${expand.map(({ name }) => name).join(', ')}`,
      next: 'run "trueup migrate" with this release, then start its processes',
    });
  }
  const contracted = newer.filter(({ phase }) => phase === 'contract').map(({ name }) => name);
  if (contracted.length > 0) {
    throw new TrueupError({
      kind: 'rejected',
      code: 'SCHEMA_AHEAD',
      message: `a newer release took away what this one uses: ${contracted.join(', ')}`,
      next: 'start the newer release; going back this far needs a backup from before',
    });
  }
}
