// The commands about the books, against a database of their own.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { advanceClock, type BusinessClockTables } from '../platform/clock.ts';
import { createPostgres } from '../platform/postgres.ts';
import { carryCasesForward } from '../reconcile/cases/carry-forward.ts';
import { createBooks, type Books } from '../reconcile/testing/books.ts';
import { runTrueup } from './testing/run-trueup.ts';

let books: Books;

beforeEach(async () => {
  books = await createBooks();
  const clockDb = createPostgres<BusinessClockTables>(books.postgresUrl);
  await advanceClock(clockDb, books.nowMs);
  await clockDb.destroy();
});
afterEach(async () => books.end());

const trueup = async (line: string) =>
  runTrueup(line, { TRUEUP_POSTGRES_URL: books.postgresUrl, TRUEUP_CLOCK: 'simulated' });

async function mustDo(line: string): Promise<string> {
  const { code, out, err } = await trueup(line);
  expect({ line, code, err: code === 0 ? '' : err }).toEqual({ line, code: 0, err: '' });
  return out;
}

async function mustFail(line: string, says: string, code = 1): Promise<void> {
  const done = await trueup(line);
  expect(done.err).toContain(says);
  expect(done.code).toBe(code);
}

const CASE = '2026-10.acme.USAGE_LATE.actions.usd';

describe('a month in the books', () => {
  test('people are set, a case is settled, two persons sign, the log proves it', async () => {
    await mustDo('people set ada --roles operator');
    await mustFail('people set jo --roles preparer', 'say who acts', 2);
    await mustDo('people set jo --roles preparer,reviewer --as ada');
    await mustDo('people set sam --roles reviewer --as ada');
    await mustFail('people set ada --roles operator,reviewer --as ada', "can't change the own roles", 2);

    await carryCasesForward(books.db, await books.run([{ amountMinor: 12_345n }]), books.nowMs);
    expect(await mustDo('cases list')).toMatch(new RegExp(`${CASE} +open +high +123\\.45 USD`));
    await mustFail(`sign-off prepare 2026-10 --as jo`, 'unsettled');
    await mustDo(`cases assign ${CASE} --to jo --as jo`);
    await mustFail(`cases accept ${CASE} --reason 'agreed' --as nobody`, 'nobody is named');
    await mustDo(`cases accept ${CASE} --reason 'billed with November' --as sam`);
    expect(await mustDo(`cases show ${CASE}`)).toMatch(/accepted: billed with November[^]*sam accepted/);

    await mustFail('sign-off prepare 2026-10', '--as names the person', 2);
    await mustDo('sign-off prepare 2026-10 --as jo');
    await mustFail('sign-off approve 2026-10 --as jo', 'another person approves');
    await mustDo('sign-off approve 2026-10 --as sam');
    expect(JSON.parse(await mustDo('sign-off status 2026-10 --json'))).toMatchObject({
      state: 'locked',
      deviations: [],
    });
    await mustFail('sign-off reopen 2026-10 --reason x --as sam', 'needs the role reopener');

    const anchor = (await mustDo('audit-log anchor')).trim();
    expect(await mustDo(`audit-log verify --anchor ${anchor}`)).toContain('intact: 8 entries, 3 anchors');
    const [entry = ''] = anchor.split(':');
    const forged = await trueup(`audit-log verify --json --anchor ${entry}:${'0'.repeat(64)}`);
    expect(forged.code).toBe(1);
    expect(JSON.parse(forged.out)).toMatchObject({ faults: [{ kind: 'rewritten' }] });
  });

  test('a hold is shown until it is released', async () => {
    await mustDo('people set ada --roles operator');
    expect((await trueup('holds list')).code).toBe(0);
    await mustFail('holds add --global --reason x --until 2026-11-06 --as ada', 'RFC 3339', 2);
    await mustFail('holds add --account gone --reason x --until 2026-11-06T00:00:00Z --as ada', 'not registered', 2);
    const id = (
      await mustDo("holds add --global --pushes --reason 'wrong price' --until 2026-11-06T00:00:00Z --as ada")
    ).trim();
    const held = await trueup('holds list');
    expect(held.code).toBe(1);
    expect(held.out).toMatch(/all +pushes +in force +ada +2026-11-06T00:00:00.000Z +wrong price/);
    await mustDo(`holds release ${id} --reason corrected --as ada`);
    expect((await trueup('holds list')).code).toBe(0);
  });

  test('a later run is listed with its reason and told apart from the one before', async () => {
    await books.run([{ amountMinor: 500n }]);
    await books.run([{ amountMinor: 700n }]);
    expect(await mustDo('runs list 2026-10')).toMatch(/close-2026-10-r2 +2 .* again/);
    expect(await mustDo('runs show close-2026-10-r2')).toContain('supersedes close-2026-10: again');
    const diff = await trueup('runs diff close-2026-10 close-2026-10-r2');
    expect(diff.code).toBe(1);
    expect(diff.out).toContain('changed USAGE_LATE acme actions: 5.00 → 7.00 USD');
    expect(await mustDo('runs diff close-2026-10 close-2026-10')).toContain('same report hash, same evidence hash');
    await mustFail('runs diff close-2026-10 close-2027-01', 'there is no run close-2027-01');
    await mustFail('runs rerun 2026-10', '--why says why', 2);
  });
});
