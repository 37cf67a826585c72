// Every expression of boards and rules against the registry: it parses, asks for metrics and labels that exist, reads
// counters by their rate; and every metric of the registry is looked at by a board or a rule.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS, type MetricSpec } from '../../domain/contracts/metrics.ts';
import type { Variable } from './language/interpolate.ts';
import { parsePromql, type Selector } from './language/promql.ts';
import { panelsOf, type ReadBoard } from './language/read-board.ts';
import { resolvePromql } from './language/resolve.ts';
import { GENERATED, readBoards } from './testing/generated-boards.ts';

/** What Prometheus itself puts on a series; stack/servers/prometheus.ts names jobs and processes. */
const TARGET_LABELS = ['job', 'instance', 'process'];
const OTHERS = /^(up|ALERTS|process_|nodejs_|prometheus_|alertmanager_)/;
const VALUE = 'chosen';
const RATES = new Set(['rate', 'increase']);

const registry: Readonly<Record<string, MetricSpec | undefined>> = METRICS;
const window = { fromMs: 0, toMs: 3_600_000, intervalMs: 15_000, scrapeMs: 15_000 };
/** With a value in every variable. */
function fill({ templating }: ReadBoard, text: string): string {
  const variables = templating.list.map(({ name, multi }): [string, Variable] => [
    name,
    { values: [VALUE], multi, all: multi },
  ]);
  return resolvePromql(text, new Map(variables), window);
}

const ofBoards = readBoards().flatMap((board) =>
  panelsOf(board).flatMap(({ title, targets }) =>
    targets.flatMap((target) =>
      'expr' in target
        ? [
            {
              where: `${board.title} / ${title} ${target.refId}`,
              raw: target.expr,
              legend: target.legendFormat,
              text: fill(board, target.expr),
            },
          ]
        : [],
    ),
  ),
);

type Rules = {
  readonly groups: readonly { readonly rules: readonly { record?: string; alert?: string; expr: string }[] }[];
};
const rules = (parse(readFileSync(join(GENERATED, 'prometheus/rules.yaml'), 'utf8')) as Rules).groups.flatMap(
  ({ rules }) => rules,
);

/** The registry's metric behind a series' name: a histogram has three. */
function findMetric(series: string): { name: string; spec: MetricSpec; part: boolean } | undefined {
  const whole = registry[series];
  if (whole !== undefined && whole.kind !== 'histogram') return { name: series, spec: whole, part: false };
  const name = series.replace(/_(bucket|sum|count)$/, '');
  const spec = registry[name];
  return spec?.kind === 'histogram' && name !== series ? { name, spec, part: true } : undefined;
}

function complaints({ metric, matchers, under }: Selector): string[] {
  if (OTHERS.test(metric)) return [];
  const found = findMetric(metric);
  if (found === undefined) return [`${metric} is not in the registry`];
  const { spec, part } = found;
  const said: string[] = [];
  const counts = spec.kind === 'counter' || part;
  if (counts !== (under !== undefined && RATES.has(under)))
    said.push(`${metric} is a ${spec.kind} under ${under ?? 'nothing'}`);
  for (const { label, operator, value } of matchers) {
    if (TARGET_LABELS.includes(label) || (label === 'le' && part)) continue;
    const allowed = spec.labels[label];
    if (allowed === undefined) said.push(`${metric} has no label ${label}`);
    else if (Array.isArray(allowed) && value !== VALUE) {
      const values = operator.endsWith('~') ? value.split('|') : [value];
      for (const one of values) if (!allowed.includes(one)) said.push(`${metric} has no ${label}="${one}"`);
    }
  }
  return said;
}

describe.each(ofBoards)('$where', ({ raw, legend, text }) => {
  const { errors, selectors, grouping } = parsePromql(text);

  test('parses, and asks for what is exported', () => {
    expect(errors).toEqual([]);
    expect(selectors.length).toBeGreaterThan(0);
    expect(selectors.flatMap(complaints)).toEqual([]);
  });

  test('reads ranges that Grafana fits to the scrapes, or the chosen one', () => {
    expect(raw.replaceAll(/\[\$__(rate_interval|range)\]/g, '')).not.toMatch(/\[/);
  });

  test('groups by labels that its metrics have, and names its series by them', () => {
    const labels = new Set([
      ...TARGET_LABELS,
      ...selectors.flatMap(({ metric }) => Object.keys(findMetric(metric)?.spec.labels ?? {})),
      ...(selectors.some(({ metric }) => findMetric(metric)?.part) ? ['le'] : []),
    ]);
    expect(grouping.filter((label) => !labels.has(label))).toEqual([]);
    const named = [...(legend ?? '').matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1] ?? '');
    expect(named.filter((label) => !grouping.includes(label))).toEqual([]);
  });
});

test('every metric of the registry is looked at by a board or a rule', () => {
  const texts = [...ofBoards.map(({ text }) => text), ...rules.map(({ expr }) => expr)];
  const seen = new Set(
    texts.flatMap((text) => parsePromql(text).selectors.flatMap(({ metric }) => findMetric(metric)?.name ?? [])),
  );
  expect(Object.keys(METRICS).filter((name) => !seen.has(name))).toEqual([]);
});

test('rules ask for metrics and labels that exist, or for what other rules record', () => {
  const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
  const wrong = rules.flatMap(({ expr }) => {
    const { errors, selectors } = parsePromql(expr);
    return [...errors, ...selectors.filter(({ metric }) => !recorded.has(metric)).flatMap(complainOfRules)];
  });
  expect(wrong).toEqual([]);
});

/** A rule may look at a counter's other faces, such as whether it is there at all. */
function complainOfRules(selector: Selector): string[] {
  return complaints(selector).filter((said) => !/ is a (counter|histogram) under /.test(said));
}
