// Every statement of the boards, as text: one SELECT over tables that boards may read, found by key, with values that can
// not break out of their quotes. That it answers, and how fast, the real engine says (fixtures/boards).

import { describe, expect, test } from 'vitest';
import { METER_UNITS } from '../../domain/meter.ts';
import { QUERIES } from './queries.ts';
import { READABLE } from './tables.ts';

const tablesOf = (sql: string) => [...sql.matchAll(/\b(?:FROM|JOIN)\s+([\w.]+)/g)].map((match) => match[1] ?? '');

describe.each(Object.entries(QUERIES))('%s', (_, text) => {
  const sql = text.replace(/^--.*$/gm, '').trim();

  test('says first what it asks', () => expect(text).toMatch(/^-- [A-Z][^\n]{20,}[.:,;]?\n/));

  test('is one SELECT', () => {
    expect(sql).toMatch(/^SELECT\b/);
    expect(sql).not.toMatch(/;|\b(INSERT|ALTER|DROP|CREATE|SET|SYSTEM|OPTIMIZE|url|file|remote|s3)\s*\(?/);
  });

  test('reads tables that boards may read, each found by its key', () => {
    const tables = tablesOf(sql);
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) {
      const rules = READABLE[table];
      expect(rules, table).toBeDefined();
      for (const { narrowedBy, because } of rules ?? []) {
        expect(
          narrowedBy.some((pattern) => pattern.test(sql)),
          `${table}: ${because}`,
        ).toBe(true);
      }
    }
  });

  test('writes variables as quoted text only', () => {
    const bare = sql
      .replace(/\$\{\w+:singlequote\}/g, '')
      .replace(/\$__\w+/g, '')
      .replace(/, \$namespace\)/g, '');
    expect(bare).not.toContain('$');
  });

  test('turns meter units into what people speak of by the factors of domain/meter.ts', () => {
    const factors = new Set(Object.values(METER_UNITS).map(({ perSpokenUnit }) => perSpokenUnit.toString()));
    const used = [...sql.matchAll(/quantity[\s\S]{0,40}?\) \/ (\d+)/g)].map((match) => match[1] ?? '');
    expect(used.filter((factor) => !factors.has(factor))).toEqual([]);
  });
});
