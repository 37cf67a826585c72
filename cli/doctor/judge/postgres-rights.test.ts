import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSchemaFiles } from '../../../platform/schema-files.ts';
import { judgePostgresRights, NEEDED, type PostgresRights, type RightsNeeds } from './postgres-rights.ts';

const ROOT = join(import.meta.dirname, '../../..');
const ALL = Object.assign({}, ...Object.values(NEEDED)) as Record<string, string>;
const FINE: PostgresRights = {
  role: 'app',
  isSuperuser: false,
  mayCreate: false,
  mayCountRuns: true,
  tables: new Map(Object.entries(ALL)),
  auditTriggers: ['audit_log_extends_chain', 'audit_log_is_append_only', 'audit_log_is_kept'],
  ownsAuditLog: false,
};
const NEEDS: RightsNeeds = { live: true, migrates: false };

function judge(changes: Partial<PostgresRights>, needs: Partial<RightsNeeds> = {}) {
  return judgePostgresRights({ ...FINE, ...changes }, { ...NEEDS, ...needs }).filter(({ verdict }) => verdict !== 'ok');
}

const holding = (table: string, letters: string) => new Map([...FINE.tables, [table, letters]]);

describe('rights in Postgres', () => {
  test('a role that may do what is needed and nothing else is ok', () => {
    expect(judge({})).toEqual([]);
  });

  test('a lacking right is a problem of its room and says what to grant', () => {
    expect(judge({ tables: holding('ingest_blocks', 'rd') })).toMatchObject([
      {
        check: 'rights for ingest',
        verdict: 'problem',
        says: 'app lacks INSERT, UPDATE on ingest_blocks',
        next: "as the tables' owner: GRANT INSERT, UPDATE ON ingest_blocks TO app",
      },
    ]);
    expect(judge({ mayCountRuns: false })).toMatchObject([{ check: 'rights for run numbers', verdict: 'problem' }]);
  });

  test('a table that is not there is left to the migrations', () => {
    expect(judge({ tables: new Map() })).toEqual([]);
  });

  test('creating tables is needed where processes migrate', () => {
    expect(judge({}, { migrates: true })).toMatchObject([{ check: 'rights to migrate', verdict: 'problem' }]);
    expect(judge({ mayCreate: true }, { migrates: true })).toEqual([]);
  });

  test('an audit log that the role can change is a problem', () => {
    expect(judge({ tables: holding('audit_log', 'rawdT') })).toMatchObject([
      { verdict: 'problem', says: 'app holds UPDATE, DELETE, TRUNCATE on audit_log' },
    ]);
    expect(judge({ auditTriggers: FINE.auditTriggers.slice(1) })).toMatchObject([{ verdict: 'problem' }]);
  });

  test('a role that could undo the protection is a problem with real money only', () => {
    for (const changes of [{ isSuperuser: true }, { ownsAuditLog: true }]) {
      expect(judge(changes)).toMatchObject([{ check: 'audit log', verdict: 'problem' }]);
      expect(judge(changes, { live: false })).toMatchObject([{ check: 'audit log', verdict: 'warning' }]);
    }
  });
});

describe('the list of rights', () => {
  test('names every table of the schema, under the room that makes it', () => {
    const made = readSchemaFiles()
      .filter(({ database }) => database === 'postgres')
      .flatMap(({ name, text }) =>
        [...text.matchAll(/CREATE TABLE (\w+)/g)].map((match) => `${name.split('/')[0]}.${match[1]}`),
      );
    const listed = Object.entries(NEEDED).flatMap(([room, tables]) =>
      Object.keys(tables).map((table) => `${room}.${table}`),
    );
    expect(listed.toSorted()).toEqual([...made, 'platform.schema_files'].toSorted());
  });

  test('grants every write that the source does', () => {
    const patterns: readonly [RegExp, string][] = [
      [/insertInto\('(\w+)'/g, 'a'],
      [/updateTable\('(\w+)'/g, 'w'],
      [/deleteFrom\('(\w+)'/g, 'd'],
      [/insertInto\('(\w+)'\)(?:(?!execute)[^])*doUpdateSet/g, 'w'],
      [/selectFrom\('(\w+)'\)(?:(?!execute)[^])*forUpdate/g, 'w'],
    ];
    const lacking = sources().flatMap((text) =>
      patterns.flatMap(([pattern, letter]) =>
        [...text.matchAll(pattern)].flatMap(([, table = '']) =>
          ALL[table]?.includes(letter) === true ? [] : [`${letter} on ${table}`],
        ),
      ),
    );
    expect(lacking).toEqual([]);
  });
});

function sources(): string[] {
  return ['accounts', 'ingest', 'aggregate', 'reconcile', 'platform', 'watch', 'cli'].flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('testing/'))
      .map((file) => readFileSync(join(ROOT, room, file), 'utf8')),
  );
}
