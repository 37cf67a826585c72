// Judges the manifests of one request: by the sink's own rule, and a key speaks for its source only. What passes here passes
// there. Pure.

import { MANIFEST_MESSAGE, nextStepOf, type ManifestFault } from '../../domain/contracts/manifest.ts';
import { parseObject } from '../validate.ts';
import { validateManifest } from '../validate-manifest.ts';
import type { Permission } from './admit.ts';
import type { Judged, Outcome, PieceName } from './outcome.ts';

export function judgeManifests(manifests: readonly Buffer[], permission: Pick<Permission, 'source'>): Judged {
  const judged = manifests.map((value) => ({ value, fault: findFault(value, permission) }));
  return {
    outcomes: judged.map(({ value, fault }, index) => toOutcome({ index, ...readName(value) }, fault)),
    records: judged.flatMap(({ value, fault }) =>
      fault === undefined ? [{ key: Buffer.from(permission.source), value }] : [],
    ),
  };
}

function findFault(value: Buffer, { source }: Pick<Permission, 'source'>): ManifestFault | undefined {
  const verdict = validateManifest(value);
  if (!verdict.accepted) return verdict;
  return verdict.manifest.source === source ? undefined : { code: 'SOURCE_NOT_ALLOWED', field: 'source' };
}

function toOutcome(name: { readonly index: number } & PieceName, fault: ManifestFault | undefined): Outcome {
  if (fault === undefined) return { ...name, outcome: 'accepted' };
  const { code, field } = fault;
  const refusal = { code, message: MANIFEST_MESSAGE[code], field: field === '' ? null : field };
  return { ...name, outcome: 'rejected', ...refusal, retryable: false, next: nextStepOf(fault) };
}

const SHOWN_MAX = 256;

/** What it says about itself, as far as that can be read. */
function readName(value: Buffer): PieceName {
  const fields = parseObject(value);
  const { source, hour, revision } = typeof fields === 'string' ? {} : fields;
  return { source: textOf(source), hour: textOf(hour), revision: typeof revision === 'number' ? revision : null };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, SHOWN_MAX) : '';
}
