import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../domain/contracts/permissions.ts';
import { verifyAuditLog } from '../audit-log/check.ts';
import { fetchEntries } from '../audit-log/log.ts';
import { actOnCase } from '../cases/book.ts';
import { carryCasesForward } from '../cases/carry-forward.ts';
import { createBooks, tamper, type Books } from '../testing/books.ts';
import { approveSignOff, checkUnlocked, fetchSignOffStatus, prepareSignOff, reopenPeriod } from './book.ts';

let books: Books;
let jo: Actor;
let sam: Actor;
let kim: Actor;

beforeEach(async () => {
  books = await createBooks();
  jo = await books.person('jo', 'preparer', 'reviewer');
  sam = await books.person('sam', 'preparer', 'reviewer');
  kim = await books.person('kim', 'reopener');
});
afterEach(async () => books.end());

const period = '2026-10';
const at = () => ({ period, atMs: books.nowMs });
const prepare = async (actor: Actor, despite: string | null = null) =>
  prepareSignOff(books.db, actor, { ...at(), despite });
const approve = async (actor: Actor) => approveSignOff(books.db, actor, at());
const reopen = async (actor: Actor, reason: string) => reopenPeriod(books.db, actor, { ...at(), reason });
const status = async () => {
  const { state, deviations } = await fetchSignOffStatus(books.db, period);
  return [state, ...deviations];
};

describe('a sign-off', () => {
  test('takes two persons: one prepares, another approves, and the period locks', async () => {
    expect(await status()).toEqual(['open']);
    await expect(prepare(jo)).rejects.toThrow('has no report to sign');
    await books.run([]);
    expect(await status()).toEqual(['review']);
    await expect(approve(sam)).rejects.toThrow('nobody has prepared');
    await prepare(jo);
    expect(await status()).toEqual(['signed']);
    await expect(approve(jo)).rejects.toThrow('jo prepared it: another person approves');
    await approve(sam);
    expect(await status()).toEqual(['locked']);
    const { signOff } = await fetchSignOffStatus(books.db, period);
    expect(signOff).toMatchObject({ preparedBy: 'jo', approved: { by: 'sam' }, run: 'close-2026-10' });
  });

  test('binds hashes and both signatures to the audit log', async () => {
    await books.run([]);
    await prepare(jo);
    const signed = await approve(sam);
    const entries = await fetchEntries(books.db, { after: 0n, limit: 10 });
    expect(entries.map(({ hash }) => hash)).toEqual([signed.preparedEntry.hash, signed.approved?.entry.hash]);
    expect(JSON.parse(entries[0]?.details ?? '')).toEqual({
      run: signed.run,
      reportHash: signed.reportHash,
      evidenceHash: signed.evidenceHash,
      casesHash: signed.casesHash,
      role: 'preparer',
      despite: null,
    });
    await tamper(books.db, 'audit_log', 'DELETE FROM audit_log');
    await tamper(books.db, 'audit_head', "UPDATE audit_head SET sequence = 0, hash = repeat('0', 64)");
    const { faults } = await verifyAuditLog(books.db, []);
    expect(faults.map(({ kind, says }) => [kind, says])).toEqual([
      ['truncated', "the log ends at 0, the preparer's signature of 2026-10 knows entry 1"],
      ['truncated', "the log ends at 0, the reviewer's signature of 2026-10 knows entry 2"],
    ]);
  });

  test('waits for unsettled cases unless the preparer says why it does not', async () => {
    await carryCasesForward(books.db, await books.run([{}]), books.nowMs);
    await expect(prepare(jo)).rejects.toThrow('unsettled: 2026-10.acme.USAGE_LATE.actions.usd');
    await expect(prepare(jo, '  ')).rejects.toThrow('unsettled');
    expect(await prepare(jo, 'billed with November')).toMatchObject({ note: 'billed with November' });
  });

  test('does not hold any more after a later run, a changed case or an altered report, and says so', async () => {
    await carryCasesForward(books.db, await books.run([{}]), books.nowMs);
    await prepare(jo, 'first look');
    const caseId = '2026-10.acme.USAGE_LATE.actions.usd';
    await actOnCase(books.db, jo, { caseId, event: { kind: 'commented', text: 'no change' }, atMs: books.nowMs });
    expect(await status()).toEqual(['signed']);
    await actOnCase(books.db, jo, { caseId, event: { kind: 'assigned', owner: 'jo' }, atMs: books.nowMs });
    expect(await status()).toEqual(['signed', 'cases changed after the signature']);
    await expect(approve(sam)).rejects.toThrow('it changed after it was prepared: cases changed');

    await prepare(jo, 'again');
    await books.run([]);
    expect(await status()).toEqual(['signed', 'run close-2026-10-r2 stands, signed was close-2026-10']);
    await prepare(jo, 'the second run');
    await approve(sam);
    await tamper(
      books.db,
      'reconcile_runs',
      `UPDATE reconcile_runs SET report = replace(report, '"2026-10"', '"2026-09"')`,
    );
    await tamper(books.db, 'evidence', `UPDATE evidence SET body = body || ' ' WHERE body LIKE '%-r2%'`);
    expect(await status()).toEqual([
      'locked',
      'the report does not give its own report hash',
      'the report does not give its own evidence hash',
      expect.stringMatching(/^evidence is gone or altered: [0-9a-f]{64}$/),
    ]);
  });

  test('locks runs and cases in the database until it is reopened with permission and reason', async () => {
    await carryCasesForward(books.db, await books.run([{}]), books.nowMs);
    await prepare(jo, 'billed with November');
    await approve(sam);
    await expect(checkUnlocked(books.db, period)).rejects.toThrow('approved by sam');
    await expect(books.run([])).rejects.toThrow('signed and locked');
    const caseId = '2026-10.acme.USAGE_LATE.actions.usd';
    const settle = async () =>
      actOnCase(books.db, sam, { caseId, event: { kind: 'accepted', reason: 'small' }, atMs: books.nowMs });
    await expect(settle()).rejects.toThrow('signed and locked');
    await actOnCase(books.db, jo, { caseId, event: { kind: 'commented', text: 'seen' }, atMs: books.nowMs });
    await expect(prepare(jo)).rejects.toThrow('locked');
    await expect(reopen(sam, 'found more')).rejects.toThrow('needs the role reopener');
    await expect(reopen(kim, ' ')).rejects.toThrow('needs a reason');
    await reopen(kim, 'the customer sent proof');
    expect(await status()).toEqual(['review']);
    await checkUnlocked(books.db, period);
    await settle();
    await books.run([]);
    const actions = (await fetchEntries(books.db, { after: 0n, limit: 20, subject: period })).map(
      ({ action }) => action,
    );
    expect(actions).toEqual(['sign-off.prepared', 'sign-off.approved', 'sign-off.ended']);
  });
});

describe('the database itself refuses', () => {
  const attempt = async (statement: string) => sql.raw(statement).execute(books.db);
  const approval = (by: string) =>
    `UPDATE sign_offs SET approved_by = '${by}', approved_at = now(), approved_audit_sequence = 9, approved_audit_hash = 'h'`;

  beforeEach(async () => {
    await books.run([]);
    await prepare(jo);
  });

  test('a reviewer who prepared, one without the role and one who is nobody', async () => {
    await expect(attempt(approval('jo'))).rejects.toThrow('preparer_is_not_reviewer');
    await expect(attempt(approval('kim'))).rejects.toThrow('kim signs without the role reviewer');
    await expect(attempt(approval('nobody'))).rejects.toThrow();
    await attempt(approval('sam'));
  });

  test('another preparer, other hashes, a second approval, an approval taken back and a deleted sign-off', async () => {
    for (const change of ["prepared_by = 'sam'", "report_hash = 'x'", "prepared_at = now() + '1 day'", "note = 'x'"]) {
      await expect(attempt(`UPDATE sign_offs SET ${change}`), change).rejects.toThrow('what was signed is not changed');
    }
    await attempt(approval('sam'));
    await books.person('ada', 'reviewer');
    await expect(attempt(approval('ada'))).rejects.toThrow('what was signed is not changed');
    await expect(
      attempt(
        'UPDATE sign_offs SET approved_by = null, approved_at = null, approved_audit_sequence = null, approved_audit_hash = null',
      ),
    ).rejects.toThrow('what was signed is not changed');
    await expect(attempt('DELETE FROM sign_offs')).rejects.toThrow('append-only');
  });

  test('a preparer without the role, a second sign-off beside the first, and a sign-off born approved', async () => {
    const insert = (preparedBy: string, extra = ['', '']) =>
      `INSERT INTO sign_offs (period, run, report_hash, evidence_hash, cases_hash, prepared_by, prepared_at, prepared_audit_sequence, prepared_audit_hash${extra[0]})
       VALUES ('2026-10', 'close-2026-10', 'r', 'e', 'c', '${preparedBy}', now(), 9, 'h'${extra[1]})`;
    await expect(attempt(insert('kim'))).rejects.toThrow('kim signs without the role preparer');
    await expect(attempt(insert('sam'))).rejects.toThrow('one_sign_off_at_a_time');
    const approved = [
      ', approved_by, approved_at, approved_audit_sequence, approved_audit_hash',
      ", 'jo', now(), 9, 'h'",
    ];
    await expect(attempt(insert('sam', approved))).rejects.toThrow('begins with the signature of its preparer alone');
  });

  test('reopening a locked period by somebody without the role or without a reason', async () => {
    await attempt(approval('sam'));
    const ending = (by: string, reason: string) =>
      `UPDATE sign_offs SET ended_by = '${by}', ended_at = now(), ended_reason = '${reason}'`;
    await expect(attempt(ending('sam', 'more'))).rejects.toThrow('sam reopens without the role reopener');
    await expect(attempt(ending('kim', ' '))).rejects.toThrow('ended_only_with_a_reason');
    await attempt(ending('kim', 'more'));
  });
});
