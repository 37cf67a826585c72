import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Actor } from '../../domain/contracts/permissions.ts';
import { fetchEntries } from '../audit-log/log.ts';
import { createBooks, type Books } from '../testing/books.ts';
import { addHold, fetchAllHolds, fetchHolds, releaseHold } from './book.ts';

let books: Books;
let jo: Actor;

beforeEach(async () => {
  books = await createBooks();
  jo = await books.person('jo', 'operator');
});
afterEach(async () => books.end());

const hold = (over: object = {}) => ({
  account: 'acme',
  kinds: ['pushes'] as const,
  reason: 'chargeback',
  atMs: books.nowMs,
  expiresAtMs: books.nowMs + 1_000,
  ...over,
});
const inForce = async (atMs = books.nowMs) => (await fetchHolds(books.db, atMs)).map(({ id }) => id);

test('a hold is in force until it expires in business time or is released, and both ends are recorded', async () => {
  const [first, second] = [await addHold(books.db, jo, hold()), await addHold(books.db, jo, hold({ account: null }))];
  expect(await inForce()).toEqual([first, second]);
  expect(await inForce(books.nowMs + 1_000)).toEqual([]);
  await releaseHold(books.db, jo, { id: first, reason: 'settled', atMs: books.nowMs + 1 });
  expect(await inForce()).toEqual([second]);
  expect((await fetchAllHolds(books.db)).find(({ id }) => id === first)?.released).toMatchObject({ by: 'jo' });
  const entries = await fetchEntries(books.db, { after: 0n, limit: 10 });
  expect(entries.map(({ action, subject }) => `${action} ${subject}`)).toEqual([
    `hold.added hold-${first}`,
    `hold.added hold-${second}`,
    `hold.released hold-${first}`,
  ]);
});

test('a hold that would hold nothing, and a release of nothing, are refused', async () => {
  await expect(addHold(books.db, jo, hold({ reason: ' ' }))).rejects.toThrow('needs a reason');
  await expect(addHold(books.db, jo, hold({ kinds: [] }))).rejects.toThrow('pushes, finalization or both');
  await expect(addHold(books.db, jo, hold({ expiresAtMs: books.nowMs }))).rejects.toThrow('is over at');
  await expect(addHold(books.db, await books.person('pat'), hold())).rejects.toThrow('pat has no role');
  const release = async (id: string, atMs = books.nowMs) => releaseHold(books.db, jo, { id, reason: 'settled', atMs });
  await expect(release('7')).rejects.toThrow('there is no hold 7');
  await expect(release('x; --')).rejects.toThrow('there is no hold');
  const id = await addHold(books.db, jo, hold());
  await expect(release(id, books.nowMs + 1_000)).rejects.toThrow('is expired already');
  await release(id);
  await expect(release(id)).rejects.toThrow('is released already');
});
