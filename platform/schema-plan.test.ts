import { describe, expect, test } from 'vitest';
import { sha256 } from '../domain/canonical.ts';
import { phaseOf, type SchemaFile } from './schema-files.ts';
import { checkUsable, computeSchemaPlan, type AppliedFile } from './schema-plan.ts';

const file = (name: string, text = `-- ${name}`): SchemaFile => ({
  name,
  database: 'postgres',
  phase: phaseOf(text),
  text,
});
const applied = ({ name, text, phase }: SchemaFile): AppliedFile => ({ name, hash: sha256(text), phase });

const one = file('a/001');
const two = file('a/002');
const contract = file('a/003', '-- phase: contract\nDROP TABLE old;');

describe('a schema file', () => {
  test('takes something away only when its first line says so', () => {
    expect(contract.phase).toBe('contract');
    expect(phaseOf('-- What it holds.\n-- phase: contract')).toBe('expand');
  });

  test('that changed after it was applied is refused, and named', () => {
    const changed = { ...applied(two), hash: sha256('other') };
    expect(() => computeSchemaPlan([one, two], [applied(one), changed])).toThrow('a/002 changed after it was applied');
  });
});

describe('a process', () => {
  const usable = (files: readonly SchemaFile[], known: readonly SchemaFile[]) => {
    checkUsable(computeSchemaPlan(files, known.map(applied)));
  };

  test('does not start on a schema that lacks what it needs, and says what to run', () => {
    expect(() => usable([one, two], [one])).toThrow('the databases lack a/002: run "trueup migrate" with this release');
  });

  test('starts on what a newer release has only added to', () => {
    expect(() => usable([one], [one, two])).not.toThrow();
  });

  test('does not start once a newer release took away what it uses', () => {
    expect(() => usable([one], [one, two, contract])).toThrow('a newer release took away what this one uses: a/003');
  });

  test('does not wait for the contract step of its own release', () => {
    expect(() => usable([one, two, contract], [one, two])).not.toThrow();
  });
});
