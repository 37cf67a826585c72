// Whether an audit log is what was written: a fold over its entries in order, then its end against everything that was kept
// of it elsewhere. Pure. An edit breaks the entry's own hash; a rewrite of the whole chain behind an edit breaks an anchor.

import { GENESIS, computeEntryHash, type Anchor, type AuditEntry } from './entry.ts';

/**
 * `edited`: the content doesn't give the stored hash. `unlinked`: it doesn't continue the entry before it. `missing`:
 * entries are gone between two others, or two changed places. `truncated`: the log ends before an anchor. `rewritten`: an
 * anchored entry has another hash. `unrecorded`: the log goes on behind its recorded head.
 */
export type AuditFault = {
  readonly kind: 'edited' | 'unlinked' | 'missing' | 'truncated' | 'rewritten' | 'unrecorded';
  readonly sequence: string;
  readonly says: string;
};

export type KnownAnchor = Anchor & {
  /** Where it was kept, such as `sign-off 2026-10`. */
  readonly from: string;
};

export type Verifier = {
  /** Entries in ascending order. */
  check(entry: AuditEntry): void;
  end(head: Anchor): AuditFault[];
};

export function createVerifier(anchors: readonly KnownAnchor[]): Verifier {
  const faults: AuditFault[] = [];
  const anchored = Map.groupBy(anchors, ({ sequence }) => sequence);
  let last = GENESIS;
  const report = (kind: AuditFault['kind'], sequence: bigint, says: string) =>
    faults.push({ kind, sequence: sequence.toString(), says });

  return {
    check: (entry) => {
      const { sequence } = entry;
      const follows = sequence === last.sequence + 1n;
      if (!follows) report('missing', sequence, `entry ${sequence} follows ${last.sequence}`);
      if (computeEntryHash(entry) !== entry.hash) {
        report('edited', sequence, `the content of entry ${sequence} does not give its hash`);
      }
      if (follows && entry.prevHash !== last.hash) {
        report('unlinked', sequence, `entry ${sequence} does not continue entry ${last.sequence}`);
      }
      for (const anchor of anchored.get(sequence) ?? []) {
        if (anchor.hash === entry.hash) continue;
        report('rewritten', sequence, `entry ${sequence} is not what ${anchor.from} holds`);
      }
      last = { sequence, hash: entry.hash };
    },
    end: (head) => {
      const ahead = [...anchors, { ...head, from: "the log's head" }].filter(
        ({ sequence }) => sequence > last.sequence,
      );
      for (const { sequence, from } of ahead) {
        report('truncated', sequence, `the log ends at ${last.sequence}, ${from} knows entry ${sequence}`);
      }
      if (head.sequence < last.sequence) {
        report('unrecorded', last.sequence, `the log goes on to ${last.sequence}, its head says ${head.sequence}`);
      }
      if (head.sequence === last.sequence && head.hash !== last.hash) {
        report('rewritten', last.sequence, `entry ${last.sequence} is not what the log's head holds`);
      }
      return faults;
    },
  };
}
