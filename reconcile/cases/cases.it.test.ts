import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Actor } from '../../domain/contracts/permissions.ts';
import { verifyAuditLog } from '../audit-log/check.ts';
import { fetchEntries } from '../audit-log/log.ts';
import { createBooks, type Books } from '../testing/books.ts';
import { actOnCase, fetchCase, fetchCases } from './book.ts';
import { carryCasesForward } from './carry-forward.ts';
import type { CaseEvent } from './states.ts';

let books: Books;
let jo: Actor;
let sam: Actor;

beforeEach(async () => {
  books = await createBooks();
  jo = await books.person('jo', 'preparer');
  sam = await books.person('sam', 'reviewer');
});
afterEach(async () => books.end());

const CASE = '2026-10.acme.USAGE_LATE.actions.usd';
const act = async (actor: Actor, event: CaseEvent, caseId = CASE) =>
  actOnCase(books.db, actor, { caseId, event, atMs: books.nowMs });
const carry = async (run: string) => carryCasesForward(books.db, run, books.nowMs);
const standing = async () =>
  (await fetchCases(books.db, {})).map(({ caseId, state, reason }) => [caseId, state, reason]);
const history = async () =>
  (await fetchCase(books.db, CASE)).history.map(({ actor, event }) => `${actor} ${event.kind}`);

describe('cases', () => {
  test('are carried through runs by key: opened, noted, closed with the reason, found again', async () => {
    await carry(await books.run([{}, { code: 'INVOICE_MISSING', meter: null, amountMinor: 200_000n }]));
    expect(await fetchCases(books.db, { period: '2026-10' })).toMatchObject([
      { code: 'INVOICE_MISSING', severity: 'critical', dueAtMs: books.nowMs + 24 * 3_600_000, amountMinor: 200_000n },
      { code: 'USAGE_LATE', severity: 'low', owner: null, firstRun: 'close-2026-10' },
    ]);
    await act(jo, { kind: 'assigned', owner: 'jo' });
    await carry(await books.run([{ amountMinor: 700n }]));
    expect(await standing()).toEqual([
      ['2026-10.acme.INVOICE_MISSING.usd', 'closed', 'vanished in run close-2026-10-r2'],
      [CASE, 'assigned', null],
    ]);
    expect(await fetchCase(books.db, CASE)).toMatchObject({
      amountMinor: 700n,
      owner: 'jo',
      lastRun: 'close-2026-10-r2',
    });
    await act(jo, { kind: 'repair-planned', repair: 'p1' });
    await act(jo, { kind: 'repaired', repair: 'p1' });
    await carry(await books.run([{ amountMinor: 700n }]));
    expect(await history()).toEqual([
      'trueup/close opened',
      'jo assigned',
      'trueup/close amount-changed',
      'jo repair-planned',
      'jo repaired',
      'trueup/close reopened',
    ]);
  });

  test('are as urgent as they are large beside the invoice they are about', async () => {
    const large = await books.run([
      { account: 'small', amountMinor: 20_000n },
      { account: 'large', amountMinor: 20_000n },
    ]);
    const none = { reasons: '[]', summaries: '{}', invoices: '[]', evidence: '[]' };
    const member = { ...none, batch: 0, currency: 'usd', plan_id: 'business', state: 'billed' } as const;
    const rows = [
      { ...member, run: large, account: 'small', expected_minor: '100000' },
      { ...member, run: large, account: 'large', expected_minor: '100000000' },
    ] as const;
    await books.db.insertInto('run_accounts').values(rows).execute();
    await carry(large);
    const severities = (await fetchCases(books.db, {})).map(({ account, severity }) => [account, severity]);
    expect(Object.fromEntries(severities)).toEqual({ large: 'low', small: 'high' });
  });

  test('carried again for the same run change nothing, not even the audit log', async () => {
    const run = await books.run([{}, { account: 'beta' }]);
    await carry(run);
    await act(sam, { kind: 'closed', reason: 'explained by the contract' });
    const before = [await standing(), await fetchEntries(books.db, { after: 0n, limit: 100 })];
    await carry(run);
    expect([await standing(), await fetchEntries(books.db, { after: 0n, limit: 100 })]).toEqual(before);
  });

  test('are settled by the right person only', async () => {
    await carry(await books.run([{ amountMinor: 50_000n }, { account: 'beta' }]));
    const accepted = { kind: 'accepted', reason: 'agreed with the customer' } as const;
    await expect(act(jo, accepted)).rejects.toThrow('a high case is settled by a reviewer');
    await expect(act(jo, { kind: 'written-off', reason: 'gone' })).rejects.toThrow('needs the role reviewer');
    await expect(act(await books.person('pat'), { kind: 'commented', text: 'x' })).rejects.toThrow('pat has no role');
    await expect(act(sam, { kind: 'vanished', run: 'r' })).rejects.toThrow('said by runs');
    await act(jo, accepted, '2026-10.beta.USAGE_LATE.actions.usd');
    await act(sam, accepted);
    await expect(act(sam, accepted)).rejects.toThrow("a case that is accepted can't be accepted");
    expect(await history()).toEqual(['trueup/close opened', 'sam accepted']);
  });

  test('leave one audit entry per event, in one transaction with it', async () => {
    await carry(await books.run([{}]));
    await act(jo, { kind: 'commented', text: 'asked the source' });
    await act(jo, { kind: 'evidence-linked', evidence: 'ab12', note: 'their answer' });
    const entries = await fetchEntries(books.db, { after: 0n, limit: 10, subject: CASE });
    expect(entries.map(({ actor, action, details }) => [actor, action, details])).toEqual([
      ['trueup/close', 'case.opened', '{"amountMinor":"500","run":"close-2026-10"}'],
      ['jo', 'case.commented', '{"text":"asked the source"}'],
      ['jo', 'case.evidence-linked', '{"evidence":"ab12","note":"their answer"}'],
    ]);
    expect((await verifyAuditLog(books.db, [])).faults).toEqual([]);
  });

  test('are never settled without a reason, deleted or given another past, whoever asks the database', async () => {
    await carry(await books.run([{}]));
    for (const statement of [
      "UPDATE cases SET state = 'closed'",
      "UPDATE cases SET state = 'accepted', reason = ' '",
      "UPDATE cases SET state = 'elsewhere'",
      'DELETE FROM cases',
      'DELETE FROM case_events',
      "UPDATE case_events SET actor = 'sam'",
    ]) {
      await expect(sql.raw(statement).execute(books.db), statement).rejects.toThrow(/violates|append-only/);
    }
  });
});
