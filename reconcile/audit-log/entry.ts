// An entry of the audit log and its hash. Pure. The hash covers every field a reader sees and the hash before it, so no
// entry can change, move or go without every later hash changing too.

import { canonicalJson, sha256, type Canonical } from '../../domain/canonical.ts';
import { toIso } from '../../domain/period.ts';

/** Where a chain stands, and what can be kept elsewhere to prove later that nothing before it changed. */
export type Anchor = { readonly sequence: bigint; readonly hash: string };

export const GENESIS: Anchor = { sequence: 0n, hash: '0'.repeat(64) };

/** What the writer says. `details` holds ids, amounts and reasons; never names of customers, mail or addresses. */
export type AuditDraft = {
  /** Business time. */
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly details: Canonical;
};

/** As stored: `at` is ISO 8601 in UTC, `details` canonical JSON. */
export type AuditEntry = {
  readonly sequence: bigint;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly details: string;
  readonly prevHash: string;
  readonly hash: string;
};

export function toEntry(head: Anchor, { atMs, details, ...draft }: AuditDraft): AuditEntry {
  const content = {
    ...draft,
    sequence: head.sequence + 1n,
    at: toIso(atMs),
    details: canonicalJson(details),
    prevHash: head.hash,
  };
  return { ...content, hash: computeEntryHash(content) };
}

export function computeEntryHash(entry: Omit<AuditEntry, 'hash'>): string {
  const { sequence, at, actor, action, subject, details, prevHash } = entry;
  return sha256(canonicalJson({ sequence: sequence.toString(), at, actor, action, subject, details, prevHash }));
}
