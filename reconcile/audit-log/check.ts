// The whole log read and verified, a page at a time, against its head, the signatures that bind it and whatever anchors
// the caller kept. Reads only.

import type { ReconcileDb } from '../store/db.ts';
import { fetchEntries, fetchHead } from './log.ts';
import { createVerifier, type AuditFault, type KnownAnchor } from './verify.ts';

export type AuditCheck = {
  readonly entries: bigint;
  readonly anchors: number;
  readonly head: { readonly sequence: string; readonly hash: string };
  readonly faults: readonly AuditFault[];
};

const PAGE = 5_000;

/** One snapshot for all reads, so that what is appended meanwhile is no finding. */
export async function verifyAuditLog(db: ReconcileDb, kept: readonly KnownAnchor[]): Promise<AuditCheck> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      const anchors = [...kept, ...(await fetchSignedAnchors(tx))];
      const verifier = createVerifier(anchors);
      let entries = 0n;
      let after = -1n;
      for (;;) {
        const page = await fetchEntries(tx, { after, limit: PAGE });
        for (const entry of page) verifier.check(entry);
        entries += BigInt(page.length);
        const last = page.at(-1);
        if (last === undefined) break;
        after = last.sequence;
      }
      const head = await fetchHead(tx);
      const faults = verifier.end(head);
      return {
        entries,
        anchors: anchors.length,
        head: { sequence: head.sequence.toString(), hash: head.hash },
        faults,
      };
    });
}

/** Every signature binds the entry that recorded it. */
async function fetchSignedAnchors(db: ReconcileDb): Promise<KnownAnchor[]> {
  const rows = await db.selectFrom('sign_offs').selectAll().execute();
  return rows.flatMap((row) => {
    const prepared = {
      sequence: BigInt(row.prepared_audit_sequence),
      hash: row.prepared_audit_hash,
      from: `the preparer's signature of ${row.period}`,
    };
    if (row.approved_audit_sequence === null || row.approved_audit_hash === null) return [prepared];
    const approved = {
      sequence: BigInt(row.approved_audit_sequence),
      hash: row.approved_audit_hash,
      from: `the reviewer's signature of ${row.period}`,
    };
    return [prepared, approved];
  });
}
