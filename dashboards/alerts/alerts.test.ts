import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALERT_IMPACTS, ALERT_SEVERITIES, ALERT_TEAMS } from '../../domain/contracts/alert-labels.ts';
import { renderAlertmanagerConfig } from '../alertmanager/config.ts';
import { createPace, REAL_PACE, toSeconds } from '../pace.ts';
import { createRules, renderRules, RUNBOOKS, type AlertingRule } from '../prometheus/rules.ts';
import { ALERT_CASES } from '../testing/cases.ts';
import { ALERTMANAGER_FILE, RULES_FILE } from '../write-rules.ts';
import { ALERTS } from './list.ts';

const checkout = join(import.meta.dirname, '../..');
const alerting = (runbooks?: string) =>
  createRules(runbooks === undefined ? {} : { runbooks }).flatMap(({ rules }) =>
    rules.filter((rule): rule is AlertingRule => 'alert' in rule),
  );

test('what is committed is what the tables say: run npm run dashboards', () => {
  expect(readFileSync(RULES_FILE, 'utf8')).toBe(renderRules());
  expect(readFileSync(ALERTMANAGER_FILE, 'utf8')).toBe(renderAlertmanagerConfig());
});

describe.each(alerting())('$alert $labels.severity', ({ alert, labels, annotations }) => {
  test('carries the labels that routes and inhibitions need, and says what it means and what to do', () => {
    expect(labels).toMatchObject({ scope: 'platform', service: expect.stringMatching(/./) as string });
    expect(ALERT_SEVERITIES).toContain(labels['severity']);
    expect(ALERT_TEAMS).toContain(labels['team']);
    expect(ALERT_IMPACTS).toContain(labels['impact']);
    expect(annotations['summary']?.length).toBeGreaterThan(10);
    expect(annotations['description']).toMatch(/\. First: .{15}/);
  });

  test('leads to its runbook', () => {
    expect(annotations['runbook_url']).toBe(`${RUNBOOKS}${alert}.md`);
    expect(existsSync(join(checkout, RUNBOOKS, `${alert}.md`))).toBe(true);
  });
});

test('runbooks may stand elsewhere', () => {
  const [first] = alerting('https://runbooks.example.com/trueup/');
  expect(first?.annotations['runbook_url']).toBe('https://runbooks.example.com/trueup/DependencyDown.md');
});

test('every alert is shown to fire and to keep quiet', () => {
  const always = ['Watchdog/info', 'OutageSettling/info']; // shown by fixtures/alerts
  const wanted = new Set(
    ALERTS.map(({ name, severity }) => `${name}/${severity}`).filter((one) => !always.includes(one)),
  );
  const about = (fires: boolean) =>
    new Set(ALERT_CASES.filter((one) => one.fires.length > 0 === fires).map((one) => one.about as string));
  expect(about(true)).toEqual(wanted);
  expect(about(false)).toEqual(wanted);
});

test('a server that is down is told before anything it explains', () => {
  const toldMs = Math.max(...ALERTS.filter(({ name }) => name === 'DependencyDown').map((one) => toSeconds(one.for)));
  const hasty = ALERTS.filter(
    (one) => one.explainedBy.some((cause) => cause.startsWith('DependencyDown')) && toSeconds(one.for) <= toldMs,
  );
  expect(hasty.map(({ name }) => name)).toEqual([]);
});

test('a cause that explains others is an alert of the list', () => {
  const names = new Set(ALERTS.map(({ name }) => name));
  const causes = ALERTS.flatMap(({ explainedBy }) => explainedBy.map((cause) => cause.split(':')[0] ?? ''));
  expect(causes.filter((cause) => !names.has(cause))).toEqual([]);
});

describe('pace', () => {
  test('the real one writes durations as they stand', () => {
    expect(REAL_PACE.duration('5m')).toBe('5m');
    expect(REAL_PACE.seconds('5m')).toBe(300);
  });

  test('a fast one shortens all of them alike', () => {
    const fast = createPace(60);
    expect([fast.duration('5m'), fast.duration('30d'), fast.seconds('1m')]).toEqual(['5000ms', '43200000ms', 1]);
    const rules = renderRules({ pace: createPace(240) });
    expect(rules).not.toMatch(/\[\d+[smhd]\]|for: \d+[smhd]$/m);
  });
});
