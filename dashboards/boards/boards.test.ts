// What a board must be, whoever builds it: the rules of Grafana's own dashboard linter that apply, and ours.
// Left out of the linter's: job and instance as template variables (a metric's name carries its stage, boards add up over
// instances), and Loki's.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALERTS } from '../alerts/list.ts';
import { namesIn } from './language/interpolate.ts';
import { panelsOf, type ReadPanel } from './language/read-board.ts';
import { UIDS } from './links.ts';
import { renderBoards } from './render.ts';
import { METRICS, USAGE } from './sources.ts';
import { GENERATED, readBoards } from './testing/generated-boards.ts';

const boards = readBoards();
const OWN_NAMES = new Set(['__rate_interval', '__range', '__interval', '__url_time_range', '__value', '__field']);
/** Grafana's units that boards use; a misspelt one is shown as a suffix. */
const UNITS = new Set(
  'short none locale s bytes Bps cps cpm eps recps reqps percentunit decgbytes dateTimeAsIso'.split(' '),
);

test('what Grafana reads is what the code says now', () => {
  for (const [path, text] of renderBoards()) expect(readFileSync(join(GENERATED, path), 'utf8'), path).toBe(text);
});

test('boards have fixed uids of their own', () => {
  expect(boards.map(({ uid }) => uid)).toEqual(Object.values(UIDS));
  for (const { uid } of boards) expect(uid).toMatch(/^trueup-[a-z-]{3,33}$/);
});

describe.each(boards.map((board) => [board.title, board] as const))('%s', (_, board) => {
  const panels = panelsOf(board);
  const targets = panels.flatMap((panel) => panel.targets);

  test('can not be edited in Grafana, and shows UTC', () => {
    expect(board).toMatchObject({ editable: false, timezone: 'utc' });
    expect(board.description.length).toBeGreaterThan(30);
  });

  test('has at most 20 panels, every id once', () => {
    expect(panels.length).toBeLessThanOrEqual(20);
    const ids = board.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  });

  test('has no panels that overlap or stand outside', () => {
    const taken = new Set<string>();
    for (const { gridPos, id } of board.panels) {
      expect(gridPos.x + gridPos.w, `panel ${id}`).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x},${y}`), `panel ${id} at ${x},${y}`).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  test('has rows without holes', () => {
    for (const [y, those] of Map.groupBy(panels, ({ gridPos }) => gridPos.y)) {
      expect(
        those.reduce((width, { gridPos }) => width + gridPos.w, 0),
        `y ${y}`,
      ).toBe(24);
    }
  });

  test('first says whether something is broken, in words as well', () => {
    expect(board.panels[0]).toMatchObject({ type: 'row', title: expect.stringMatching(/^Is it broken/) as unknown });
    const first = panels.filter(({ gridPos }) => gridPos.y === 1);
    expect(first.length).toBeGreaterThanOrEqual(4);
    for (const { type, fieldConfig, title } of first) {
      expect(type).toBe('stat');
      expect(fieldConfig.defaults.noValue, title).toBe('Not known');
    }
    const judging = first.filter(({ fieldConfig }) => (fieldConfig.defaults.thresholds?.steps.length ?? 0) > 1);
    expect(judging.length).toBeGreaterThanOrEqual(4);
    const wordless = judging.filter(
      ({ fieldConfig: { defaults } }) => !defaults.mappings.some(({ type }) => type === 'value'),
    );
    expect(wordless.map(({ title }) => title)).toEqual(
      ['Age of the last look', 'Under way, 95 %'].filter((title) => first.some((panel) => panel.title === title)),
    );
  });

  test.each(panels.map((panel) => [panel.title, panel] as const))(
    '"%s" says what it shows, in which unit, and where to go',
    (_, panel) => {
      expect(panel.description).toMatch(/^[A-Z][\s\S]{25,}\.$/);
      expect(unitsOf(panel).filter((unit) => !UNITS.has(unit) && !/^suffix:\S/.test(unit))).toEqual([]);
      expect(panel.links).toHaveLength(1);
      expect(panel.links[0]?.url).toMatch(/^(\$\{runbooks\}\w+\.md|\/d\/trueup-[a-z-]+\?\$\{__url_time_range\})$/);
      expect(panel.targets.length).toBeGreaterThan(0);
      expect(new Set(panel.targets.map(({ refId }) => refId)).size).toBe(panel.targets.length);
    },
  );

  test('leads to runbooks of alerts that exist, and to boards that exist', () => {
    const urls = panels.flatMap(({ links }) => links.map(({ url }) => url ?? ''));
    const alerts = new Set(ALERTS.map(({ name }) => name));
    const runbooks = urls.flatMap((url) => /\}(\w+)\.md$/.exec(url)?.[1] ?? []);
    expect(runbooks.filter((name) => !alerts.has(name))).toEqual([]);
    const uids = urls.flatMap((url) => /^\/d\/([a-z-]+)/.exec(url)?.[1] ?? []);
    expect(uids.filter((uid) => !boards.some((board) => board.uid === uid))).toEqual([]);
  });

  test('names data sources through variables only', () => {
    const allowed: string[] = [METRICS.uid, USAGE.uid];
    const used = [...panels, ...targets, ...board.templating.list].flatMap(({ datasource }) => datasource?.uid ?? []);
    expect(used.filter((uid) => !allowed.includes(uid))).toEqual([]);
    for (const panel of panels) for (const target of panel.targets) expect(target.datasource).toEqual(panel.datasource);
  });

  test('has variables that are explained, asked again when the range changes, used, and no others are used', () => {
    const variables = board.templating.list;
    const texts = [
      ...targets.map((target) => ('expr' in target ? `${target.expr} ${target.legendFormat ?? ''}` : target.rawSql)),
      ...panels.flatMap(({ title, datasource, links }) => [
        title,
        datasource.uid,
        ...links.map(({ url }) => url ?? ''),
      ]),
      ...variables.map(
        ({ query, datasource }) => `${typeof query === 'string' ? query : query.rawSql} ${datasource?.uid ?? ''}`,
      ),
      ...board.panels.map(({ title }) => title),
    ];
    const used = new Set(texts.flatMap((text) => namesIn(text.replace(/\$__\w+\(?/g, ''))));
    const known = new Set(variables.map(({ name }) => name));
    expect([...used].filter((name) => !known.has(name) && !OWN_NAMES.has(name))).toEqual([]);
    expect([...known].filter((name) => !used.has(name))).toEqual([]);
    for (const { label, description } of variables)
      expect([label, description].every((text) => text.length > 3)).toBe(true);
    for (const { type, refresh } of variables) if (type === 'query') expect(refresh).toBe(2);
  });
});

function unitsOf({ fieldConfig }: ReadPanel): string[] {
  const overridden = fieldConfig.overrides.flatMap(({ properties }) =>
    properties.flatMap(({ id, value }) => (id === 'unit' ? [String(value)] : [])),
  );
  return [fieldConfig.defaults.unit, ...overridden];
}
