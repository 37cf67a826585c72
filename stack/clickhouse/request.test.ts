import { expect, test } from 'vitest';
import type { Prepared } from './request.ts';
import { prepare } from './request.ts';
import { parseOptions } from './settings.ts';

function prepared(url: string, body = ''): Prepared {
  const options = parseOptions(new URLSearchParams(url), {}, 'mark');
  return prepare(options, { head: Buffer.from(body), rest: undefined });
}

test('settings join the statement, whose own settings win', () => {
  expect(prepared('max_threads=2&log_comment=x', 'SELECT 1').sql).toBe(
    "SELECT 1\nSETTINGS max_threads = '2', log_comment = 'x'",
  );
  expect(prepared('max_threads=2', 'SELECT 1 SETTINGS max_threads = 1').sql).toBe(
    "SELECT 1 SETTINGS max_threads = 1\nSETTINGS log_comment = 'mark'",
  );
  expect(prepared('max_threads=2', 'SELECT 1 FORMAT TSV SETTINGS a = 1;').sql).toBe(
    "SELECT 1 FORMAT TSV SETTINGS a = 1, max_threads = '2', log_comment = 'mark'",
  );
  expect(prepared('a=2', 'INSERT INTO t SETTINGS b=1 SELECT 1').sql).toBe(
    "INSERT INTO t SETTINGS a = '2',  b=1 SELECT 1",
  );
});

test('a setting is one literal whatever it holds', () => {
  expect(prepared(`log_comment=${encodeURIComponent("';DROP TABLE t --\\")}`, 'SELECT 1').sql).toBe(
    "SELECT 1\nSETTINGS log_comment = '\\';DROP TABLE t --\\\\'",
  );
  expect(() => prepared('a%20b=1', 'SELECT 1')).toThrow(/neither a builtin setting/);
});

test('settings of a change stay out of its text', () => {
  const change = prepared('mutations_sync=2', 'ALTER TABLE t DELETE WHERE 1');
  expect([change.sql, change.settings]).toEqual(['ALTER TABLE t DELETE WHERE 1', "mutations_sync = '2'"]);
});

test('what only means something to a server with users and sessions is known, not passed on', () => {
  expect(prepared('wait_end_of_query=1&user=x&send_progress_in_http_headers=1&log_comment=c', 'SELECT 1').sql).toBe(
    "SELECT 1\nSETTINGS log_comment = 'c'",
  );
  expect(() => prepared('session_id=a', 'SELECT 1')).toThrow(/session_id is not served/);
});

test('URL and body make one statement', () => {
  expect(prepared('query=SELECT&log_comment=c', '1').sql).toContain('SELECT\n1');
});

test('data of an INSERT comes from the body, from behind the statement, or from both', () => {
  const data = (request: Prepared): string | undefined => request.inline?.data.head.toString();
  expect(data(prepared('query=INSERT INTO t FORMAT TSV', '1\n'))).toBe('1\n');
  expect(data(prepared('', 'INSERT INTO t FORMAT TSV\n1\n'))).toBe('1\n');
  expect(data(prepared('query=INSERT INTO t VALUES (1),', '(2)'))).toBe(' (1),\n(2)');
});

test('an INSERT with data is one block unless the client asks for another size', () => {
  expect(prepared('query=INSERT INTO t FORMAT TSV').inline?.settings).toMatch(
    /min_insert_block_size_rows = '1000000000'/,
  );
  expect(prepared('query=INSERT INTO t FORMAT TSV&min_insert_block_size_rows=5').inline?.settings).toMatch(
    /min_insert_block_size_rows = '5'/,
  );
});
