import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack, type Stack } from '../stack/stack.ts';
import { createAlertmanager, type Alertmanager } from './alertmanager.ts';

let stack: Stack;
let open: (env: string, validMs?: number) => Alertmanager;

beforeAll(async () => {
  stack = await startStack({
    name: `anomaly-alertmanager-${process.pid}`,
    servers: ['alertmanager'],
    ignoreGiven: true,
    log: () => undefined,
  });
  const url = stack.env['TRUEUP_ALERTMANAGER_URL'] ?? '';
  open = (env, validMs = 60_000) => createAlertmanager({ url, env, validMs });
});
afterAll(async () => stack.stop());

const page = { scope: 'platform', severity: 'page', impact: 'usage_pipeline' };
const alert = (labels: Record<string, string>) => [{ labels, annotations: {} }];

test.each([
  ['a page about the usage pipeline', { ...page, alertname: 'DependencyDown' }, true],
  ['a page about billing', { ...page, alertname: 'WorkflowFailed', impact: 'billing' }, false],
  ['a ticket', { ...page, alertname: 'ReplicationLag', severity: 'ticket' }, false],
  ['what we raised ourselves', { ...page, alertname: 'AnomaliesWidespread' }, false],
])('%s is an outage: %s', async (title, labels, isOutage) => {
  const env = title.replaceAll(' ', '-');
  const alertmanager = open(env);
  await alertmanager.pushAlerts(alert({ ...labels, env }), Date.now());
  expect(await alertmanager.fetchOutage()).toBe(isOutage);
  expect(await open('another').fetchOutage()).toBe(false);
});

test('what is not sent again is over', async () => {
  const alertmanager = open('short', 1);
  await alertmanager.pushAlerts(alert({ ...page, alertname: 'DependencyDown', env: 'short' }), Date.now() - 1_000);
  expect(await alertmanager.fetchOutage()).toBe(false);
});

test('five thousand alerts arrive', async () => {
  const many = Array.from({ length: 5_000 }, (_, index) => ({
    labels: { ...page, alertname: 'TenantAnomaly', env: 'many', tenant_id: `${index}` },
    annotations: {},
  }));
  await open('many').pushAlerts(many, Date.now());
  expect(await open('many').fetchOutage()).toBe(true);
});

test('a label that can not be is a bug of ours, an Alertmanager that is away is not "no outage"', async () => {
  await expect(open('bad').pushAlerts(alert({ 'not a label': 'x' }), Date.now())).rejects.toMatchObject({
    kind: 'bug',
  });
  const away = createAlertmanager({ url: 'http://127.0.0.1:9', env: 'away', validMs: 1 });
  await expect(away.fetchOutage()).rejects.toMatchObject({ kind: 'unavailable' });
});
