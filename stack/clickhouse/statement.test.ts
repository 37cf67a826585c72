import { expect, test } from 'vitest';
import { parseStatement } from './statement.ts';

test('reads, inserts and changes are told apart behind comments and brackets', () => {
  const kinds = [
    '-- x\n/* y */ SELECT 1',
    '(SELECT 1) UNION ALL SELECT 2',
    'WITH 1 AS x SELECT x',
    'explain select 1',
    'SHOW TABLES',
    'INSERT INTO t SELECT 1',
    'WITH q AS (SELECT 1) INSERT INTO t SELECT * FROM q',
    'CREATE TABLE insert (a UInt8) ENGINE = Memory',
    'ALTER TABLE t DELETE WHERE 1',
    'SYSTEM STOP MERGES t',
  ].map((sql) => parseStatement(sql).kind);
  expect(kinds).toEqual(['read', 'read', 'read', 'read', 'read', 'insert', 'insert', 'change', 'change', 'change']);
});

test('a final semicolon is dropped and a second statement is refused', () => {
  expect(parseStatement('SELECT 1 ; -- done\n;').end).toBe(8);
  expect(() => parseStatement('SELECT 1; SELECT 2')).toThrow(/Multi-statements are not allowed/);
  expect(() => parseStatement(' -- nothing')).toThrow(/Empty query/);
});

test('the output format is the last clause, not a column of that name', () => {
  expect(parseStatement('SELECT 1 FORMAT JSONEachRow').format).toBe('JSONEachRow');
  expect(parseStatement('SELECT 1 FORMAT CSV SETTINGS max_threads = 1').format).toBe('CSV');
  expect(parseStatement('SELECT format FROM formats').format).toBeUndefined();
  expect(parseStatement("SELECT 'FORMAT CSV'").format).toBeUndefined();
});

test("a statement's own settings are known by name and place", () => {
  const before = parseStatement('SELECT 1 SETTINGS max_threads = 1, a.b = 2 FORMAT TSV').ownSettings;
  expect([...before.names]).toContain('max_threads');
  expect(before.isLastClause).toBe(false);
  const behind = parseStatement('SELECT settings = 1 FORMAT TSV SETTINGS max_threads = 1').ownSettings;
  expect([...behind.names]).toEqual(['max_threads']);
  expect(behind.isLastClause).toBe(true);
});

function shape(sql: string): [string, string | undefined, string | undefined] {
  const insert = parseStatement(sql).insert;
  if (insert === undefined) throw new Error(`no INSERT: ${sql}`);
  const { settingsAt, inline } = insert;
  return [sql.slice(0, settingsAt).trim(), inline?.format, inline === undefined ? undefined : sql.slice(inline.dataAt)];
}

test('inline data begins behind the format and one line end', () => {
  expect(shape('INSERT INTO t FORMAT TSV\n1\t;2\n')).toEqual(['INSERT INTO t', 'TSV', '1\t;2\n']);
  expect(shape('INSERT INTO t FORMAT TSV \r\n\n1')).toEqual(['INSERT INTO t', 'TSV', '\n1']);
  expect(shape('insert into db.t (a, `b c`) values (1);')).toEqual(['insert into db.t (a, `b c`)', 'Values', ' (1);']);
  expect(shape('INSERT INTO format FORMAT CSV')).toEqual(['INSERT INTO format', 'CSV', '']);
  expect(shape('INSERT INTO a.values SETTINGS x = 1 FORMAT CSV 1')).toEqual(['INSERT INTO a.values', 'CSV', '1']);
});

test('an INSERT … SELECT takes settings between table and query', () => {
  expect(shape('INSERT INTO TABLE t (a) SELECT 1')).toEqual(['INSERT INTO TABLE t (a)', undefined, undefined]);
  expect(shape('INSERT INTO t (SELECT 1)')).toEqual(['INSERT INTO t', undefined, undefined]);
  expect(shape("INSERT INTO FUNCTION file('x', 'TSV') WITH 1 AS a SELECT a")[0]).toBe(
    "INSERT INTO FUNCTION file('x', 'TSV')",
  );
});

test("files of the server's machine are out of reach", () => {
  expect(() => parseStatement("INSERT INTO t FROM INFILE '/etc/passwd' FORMAT TSV")).toThrow(/INFILE/);
  expect(() => parseStatement("SELECT 1 INTO OUTFILE '/tmp/x'")).toThrow(/INTO OUTFILE/);
});
