// Stored evidence read back. Its name is the hash of its content, so what was altered is found by reading it.

import { sha256, type Canonical } from '../../domain/canonical.ts';
import { invariant } from '../../domain/contracts/errors.ts';
import type { ReconcileDb } from './db.ts';

export type Evidence = { readonly hash: string; readonly kind: string; readonly content: Canonical };

/** By hash. Throws `bug` for evidence that is gone or is not what its hash says. */
export async function fetchEvidence(db: ReconcileDb, hashes: readonly string[]): Promise<Map<string, Evidence>> {
  const found = new Map<string, Evidence>();
  const HASHES_PER_QUERY = 1_000;
  for (let from = 0; from < hashes.length; from += HASHES_PER_QUERY) {
    const some = hashes.slice(from, from + HASHES_PER_QUERY);
    const rows = await db.selectFrom('evidence').selectAll().where('hash', 'in', some).execute();
    for (const { hash, kind, body } of rows) {
      invariant(sha256(body) === hash, 'I9', `evidence ${hash} (${kind}) was altered`);
      found.set(hash, { hash, kind, content: JSON.parse(body) as Canonical });
    }
  }
  const gone = hashes.filter((hash) => !found.has(hash));
  invariant(gone.length === 0, 'I9', `evidence is gone: ${gone.join(', ')}`);
  return found;
}
