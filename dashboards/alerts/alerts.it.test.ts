// Rules as promtool judges them. Cases stand in ../testing/, one table for each file of alerts.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { runPromtool } from '../../stack/promtool.ts';
import { createPace } from '../pace.ts';
import { renderRules } from '../prometheus/rules.ts';
import { createPromtoolFiles } from '../testing/alert-cases.ts';
import { ALERT_CASES } from '../testing/cases.ts';
import { RULES_FILE } from '../write-rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'trueup-alerts-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('promtool accepts the rules, at any pace', async () => {
  const fast = join(folder, 'fast.yaml');
  writeFileSync(fast, renderRules({ pace: createPace(240) }));
  const { code, stdout, stderr } = await runPromtool([
    'check',
    'rules',
    '--lint=all',
    '--lint-fatal',
    RULES_FILE,
    fast,
  ]);
  expect(`${stdout}${stderr}`).not.toMatch(/FAILED|duplicate/i);
  expect(code, stderr).toBe(0);
});

test('what is recorded for boards is right where nothing fails and where nothing works', async () => {
  const file = join(folder, 'recorded.yaml');
  writeFileSync(file, stringify({ rule_files: [RULES_FILE], evaluation_interval: '1m', tests: [RECORDED] }));
  const { code, stdout, stderr } = await runPromtool(['test', 'rules', file]);
  expect(code, `${stdout}${stderr}`).toBe(0);
});

describe('alerts fire when they must, within the time they promise, and only then', () => {
  test.each(createPromtoolFiles(ALERT_CASES))('$name', async ({ name, rules, tests }) => {
    writeFileSync(join(folder, `${name}.rules.yaml`), rules);
    writeFileSync(join(folder, `${name}.yaml`), tests);
    const { code, stdout, stderr } = await runPromtool(['test', 'rules', join(folder, `${name}.yaml`)]);
    expect(code, `${stdout}${stderr}`).toBe(0);
  });
}, 240_000);

const at10 = (expr: string, ...samples: readonly [string, number][]) => ({
  expr,
  eval_time: '10m',
  exp_samples: samples.map(([labels, value]) => ({ labels, value })),
});

/** Sixty requests a minute to each route, one route always failing; all but one of ten within 100 ms. */
const RECORDED = {
  interval: '1m',
  input_series: [
    { series: 'trueup_http_requests_total{route="events",code_class="2xx"}', values: '0+60x20' },
    { series: 'trueup_http_requests_total{route="other",code_class="5xx"}', values: '0+60x20' },
    { series: 'trueup_http_request_seconds_bucket{route="events",le="0.1"}', values: '0+54x20' },
    { series: 'trueup_http_request_seconds_bucket{route="events",le="0.2"}', values: '0+60x20' },
    { series: 'trueup_http_request_seconds_bucket{route="events",le="+Inf"}', values: '0+60x20' },
    { series: 'trueup_watch_slo_looks_total{slo="invoice-run",outcome="good"}', values: '0+3x20' },
    { series: 'trueup_watch_slo_looks_total{slo="invoice-run",outcome="unknown"}', values: '0+1x20' },
  ],
  promql_expr_test: [
    at10(
      'route:trueup_http_requests:rate5m',
      ['route:trueup_http_requests:rate5m{route="events"}', 1],
      ['route:trueup_http_requests:rate5m{route="other"}', 1],
    ),
    at10(
      'route:trueup_http_requests_failed:ratio_rate5m',
      ['route:trueup_http_requests_failed:ratio_rate5m{route="events"}', 0],
      ['route:trueup_http_requests_failed:ratio_rate5m{route="other"}', 1],
    ),
    at10('round(route:trueup_http_request_seconds:p95_5m, 0.001)', ['{route="events"}', 0.15]),
    at10('slo:sli_error:ratio_rate5m{slo="invoice-run"}', ['slo:sli_error:ratio_rate5m{slo="invoice-run"}', 0.25]),
    at10('round(slo:error_budget_left:ratio{slo="invoice-run"})', ['{slo="invoice-run"}', -49]),
  ],
};
