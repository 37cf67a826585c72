// The audit log in the database. An entry commits or fails together with the change it records; a lock makes appenders
// wait for each other, so the chain has one order. Dying in between leaves neither the change nor the entry.

import { sql, type Kysely, type QueryExecutorProvider, type Transaction } from 'kysely';
import { invariant } from '../../domain/contracts/errors.ts';
import type { ReconcileDb } from '../store/db.ts';
import type { ReconcileTables } from '../store/tables.ts';
import { toEntry, type Anchor, type AuditDraft, type AuditEntry } from './entry.ts';

export type ReconcileTx = Transaction<ReconcileTables>;

const LOCK_KEY = 7_215_010;

/**
 * Runs `work` in a transaction that holds the log's lock from its start: changes that are recorded happen one after the
 * other, and no two of them can wait for each other's rows.
 */
export async function inAuditedTransaction<Tables extends ReconcileTables, T>(
  db: Kysely<Tables>,
  work: (tx: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  return db.transaction().execute(async (tx) => {
    await lockLog(tx);
    return work(tx);
  });
}

/** Appends in the given order, in the caller's transaction, and returns where the chain then ends. */
export async function appendAudit(tx: ReconcileTx, drafts: readonly AuditDraft[]): Promise<Anchor> {
  await lockLog(tx);
  let head = await fetchHead(tx);
  const entries = drafts.map((draft) => {
    const entry = toEntry(head, draft);
    head = entry;
    return entry;
  });
  const ROWS_PER_INSERT = 1000;
  for (let from = 0; from < entries.length; from += ROWS_PER_INSERT) {
    const rows = entries.slice(from, from + ROWS_PER_INSERT).map(({ sequence, prevHash, ...entry }) => ({
      ...entry,
      sequence: sequence.toString(),
      prev_hash: prevHash,
    }));
    await tx.insertInto('audit_log').values(rows).execute();
  }
  return { sequence: head.sequence, hash: head.hash };
}

async function lockLog(tx: QueryExecutorProvider): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${LOCK_KEY})`.execute(tx);
}

export async function fetchHead(db: ReconcileDb): Promise<Anchor> {
  const row = await db.selectFrom('audit_head').select(['sequence', 'hash']).executeTakeFirst();
  invariant(row !== undefined, 'I9', 'the audit log has lost its head');
  return { sequence: BigInt(row.sequence), hash: row.hash };
}

/** Entries behind `after`, ascending. */
export async function fetchEntries(
  db: ReconcileDb,
  { after, limit, subject }: { readonly after: bigint; readonly limit: number; readonly subject?: string },
): Promise<AuditEntry[]> {
  const rows = await db
    .selectFrom('audit_log')
    .selectAll()
    .where('sequence', '>', after.toString())
    .$if(subject !== undefined, (query) => query.where('subject', '=', subject ?? ''))
    .orderBy('sequence')
    .limit(limit)
    .execute();
  return rows.map(({ sequence, prev_hash, ...row }) => ({ ...row, sequence: BigInt(sequence), prevHash: prev_hash }));
}
