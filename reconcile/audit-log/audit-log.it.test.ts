import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createBooks, tamper, type Books } from '../testing/books.ts';
import { verifyAuditLog } from './check.ts';
import { computeEntryHash, toEntry, type Anchor, type AuditDraft } from './entry.ts';
import { appendAudit, fetchEntries, fetchHead, inAuditedTransaction } from './log.ts';

let books: Books;

beforeEach(async () => {
  books = await createBooks();
});
afterEach(async () => books.end());

const draft = (subject: string): AuditDraft => ({
  atMs: books.nowMs,
  actor: 'jo',
  action: 'case.commented',
  subject,
  details: { text: `about ${subject}` },
});

async function write(count: number): Promise<void> {
  for (let index = 1; index <= count; index += 1) {
    await inAuditedTransaction(books.db, async (tx) => appendAudit(tx, [draft(`c${index}`)]));
  }
}

const faults = async (kept: readonly Anchor[] = []) => {
  const anchors = kept.map((anchor) => ({ ...anchor, from: 'a kept anchor' }));
  const found = await verifyAuditLog(books.db, anchors);
  return found.faults.map(({ kind, sequence }) => `${kind} ${sequence}`);
};

describe('the audit log', () => {
  test('is one chain whoever appends at once, and commits with the change it records or not at all', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        inAuditedTransaction(books.db, async (tx) => appendAudit(tx, [draft(`a${index}`), draft(`b${index}`)])),
      ),
    );
    const failing = inAuditedTransaction(books.db, async (tx) => {
      await appendAudit(tx, [draft('lost')]);
      throw new Error('the change failed');
    });
    await expect(failing).rejects.toThrow('the change failed');
    const entries = await fetchEntries(books.db, { after: 0n, limit: 100 });
    expect(entries.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 40 }, (_, index) => BigInt(index + 1)),
    );
    expect(await fetchHead(books.db)).toMatchObject({ sequence: 40n });
    expect(await faults()).toEqual([]);
  });

  test('refuses every change, even to its owner', async () => {
    await write(2);
    for (const statement of [
      "UPDATE audit_log SET actor = 'sam' WHERE sequence = 1",
      'DELETE FROM audit_log WHERE sequence = 2',
      'TRUNCATE audit_log',
      'DELETE FROM audit_head',
    ]) {
      await expect(sql.raw(statement).execute(books.db), statement).rejects.toThrow(/append-only/);
    }
    const granted = await sql<{ privilege_type: string }>`
      SELECT DISTINCT privilege_type FROM pg_class, aclexplode(relacl) WHERE relname = 'audit_log'`.execute(books.db);
    const held = granted.rows.map(({ privilege_type }) => privilege_type);
    expect(held).toContain('INSERT');
    for (const forbidden of ['UPDATE', 'DELETE', 'TRUNCATE']) expect(held).not.toContain(forbidden);
  });

  test('refuses an entry that does not continue the chain', async () => {
    await write(2);
    const head = await fetchHead(books.db);
    const strays: Anchor[] = [
      { sequence: 0n, hash: head.hash },
      { ...head, hash: 'f'.repeat(64) },
      { ...head, sequence: 5n },
    ];
    for (const stray of strays) {
      const { sequence, prevHash, ...entry } = toEntry(stray, draft('x'));
      const insert = books.db
        .insertInto('audit_log')
        .values({ ...entry, sequence: sequence.toString(), prev_hash: prevHash })
        .execute();
      await expect(insert).rejects.toThrow(/continue the chain|duplicate key/);
    }
    expect(await faults()).toEqual([]);
  });
});

describe('with a superuser at work, the verifier finds', () => {
  beforeEach(async () => write(5));
  const whatever = async (statement: string) => tamper(books.db, 'audit_log', statement);

  test('an edit of any column', async () => {
    for (const column of ['at', 'actor', 'action', 'subject', 'details']) {
      await whatever(`UPDATE audit_log SET ${column} = ${column} || ' ' WHERE sequence = 3`);
      expect(await faults(), column).toEqual(['edited 3']);
      await whatever(`UPDATE audit_log SET ${column} = rtrim(${column}) WHERE sequence = 3`);
      expect(await faults(), column).toEqual([]);
    }
  });

  test('a dropped entry, with and without closing the gap', async () => {
    await whatever('DELETE FROM audit_log WHERE sequence = 3');
    expect(await faults()).toEqual(['missing 4']);
    await whatever('UPDATE audit_log SET sequence = sequence - 1 WHERE sequence > 3');
    expect(await faults()).toEqual(expect.arrayContaining(['edited 3', 'edited 4', 'truncated 5']));
  });

  test('two entries that changed places', async () => {
    await whatever('UPDATE audit_log SET sequence = 99 WHERE sequence = 2');
    await whatever('UPDATE audit_log SET sequence = 2 WHERE sequence = 4');
    await whatever('UPDATE audit_log SET sequence = 4 WHERE sequence = 99');
    expect(await faults()).toEqual(expect.arrayContaining(['edited 2', 'edited 4']));
  });

  test('a tail that was cut off, and the whole log gone', async () => {
    const kept = await fetchHead(books.db);
    await whatever('DELETE FROM audit_log WHERE sequence > 3');
    expect(await faults()).toEqual(['truncated 5']);
    await tamper(
      books.db,
      'audit_head',
      'UPDATE audit_head SET (sequence, hash) = (SELECT 3, hash FROM audit_log WHERE sequence = 3)',
    );
    expect(await faults()).toEqual([]);
    expect(await faults([kept])).toEqual(['truncated 5']);
    await whatever('TRUNCATE audit_log');
    expect(await faults([kept])).toEqual(['truncated 5', 'truncated 3']);
  });

  test('a forged chain that fits in itself, by an anchor kept elsewhere', async () => {
    const kept = await fetchHead(books.db);
    const [third, ...later] = await fetchEntries(books.db, { after: 2n, limit: 10 });
    if (third === undefined) throw new Error('no third entry');
    let forged = { ...third, actor: 'somebody-else' };
    for (const next of [undefined, ...later]) {
      if (next !== undefined) forged = { ...next, prevHash: forged.hash };
      forged = { ...forged, hash: computeEntryHash(forged) };
      const { sequence, actor, prevHash, hash } = forged;
      await whatever(
        `UPDATE audit_log SET actor = '${actor}', prev_hash = '${prevHash}', hash = '${hash}' WHERE sequence = ${sequence}`,
      );
    }
    await tamper(books.db, 'audit_head', `UPDATE audit_head SET hash = '${forged.hash}'`);
    expect(await faults()).toEqual([]);
    expect(await faults([kept])).toEqual(['rewritten 5']);
  });
});
