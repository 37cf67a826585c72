// What holds what back, in a real Alertmanager: amtool knows nothing of inhibition.

import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack, type Stack } from '../../stack/stack.ts';
import { eventually } from '../../stack/testing/eventually.ts';
import { createPace } from '../pace.ts';
import { renderAlertmanagerConfig } from './config.ts';

type Labels = Readonly<Record<string, string>>;

const folder = mkdtempSync(join(tmpdir(), 'trueup-inhibitions-'));
let stack: Stack;
let url = '';

beforeAll(async () => {
  const configFile = join(folder, 'alertmanager.yaml');
  writeFileSync(configFile, renderAlertmanagerConfig(createPace(240)));
  stack = await startStack({
    name: `inhibitions-${process.pid}`,
    servers: ['alertmanager'],
    ignoreGiven: true,
    settings: { alertmanager: { configFile } },
    log: () => undefined,
  });
  url = stack.env['TRUEUP_ALERTMANAGER_URL'] ?? '';
});
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true });
});

const page = { scope: 'platform', severity: 'page' };
const kafka = { ...page, alertname: 'DependencyDown', dependency: 'kafka', impact: 'usage_pipeline' };
const stripe = {
  scope: 'platform',
  severity: 'ticket',
  alertname: 'DependencyDown',
  dependency: 'stripe',
  impact: 'billing',
};
const settling = { scope: 'platform', severity: 'info', alertname: 'OutageSettling', impact: 'watching' };
const tenant = { scope: 'tenant', severity: 'ticket', alertname: 'TenantAnomaly', tenant_id: 'acme' };
const widespread = { ...page, alertname: 'AnomaliesWidespread', impact: 'usage_pipeline' };

/** Alertmanager takes causes in the order of their arrival: once these are told apart, so is what came before them. */
const CONTROL = [
  { alertname: 'TenantExpected', tenant_id: 'control' },
  { alertname: 'TenantAnomaly', tenant_id: 'control' },
] as const;

/** Cause, consequence, and whether the consequence is held back. */
test.each<[string, Labels, Labels, 'held' | 'told']>([
  ['Kafka explains stale usage', kafka, { ...page, alertname: 'UsageFreshnessBurn' }, 'held'],
  ['Kafka explains a door that answers 503', kafka, { ...page, alertname: 'ApiAvailabilityBurn' }, 'held'],
  ['Kafka explains a sink that is not ready', kafka, { ...page, alertname: 'ProcessNotReady' }, 'held'],
  ['Kafka does not explain a full disk', kafka, { ...page, alertname: 'DiskNearlyFull' }, 'told'],
  ['Kafka does not explain money', kafka, { ...page, alertname: 'ReconciliationDriftBurn' }, 'told'],
  ['Kafka hides what is said of tenants', kafka, tenant, 'held'],
  ['Kafka explains deviations everywhere', kafka, widespread, 'held'],
  [
    'what Kafka left behind is still explained',
    { ...settling, outage: 'DependencyDown', dependency: 'kafka' },
    { ...page, alertname: 'UsageFreshnessBurn' },
    'held',
  ],
  [
    'tenants wait until it has settled',
    { ...settling, outage: 'DependencyDown', harms: 'usage_pipeline' },
    tenant,
    'held',
  ],
  [
    'what settles in billing hides no tenant',
    { ...settling, outage: 'WorkflowFailed', harms: 'billing' },
    tenant,
    'told',
  ],
  [
    'Stripe explains its own errors',
    stripe,
    { scope: 'platform', severity: 'ticket', alertname: 'StripeErrors' },
    'held',
  ],
  ['Stripe explains a late invoice run', stripe, { ...page, alertname: 'InvoiceRunLateBurn' }, 'held'],
  ['Stripe hides no tenant', stripe, tenant, 'told'],
  ['deviations everywhere hide the single ones', widespread, tenant, 'held'],
  ['deviations everywhere do not hide themselves', widespread, widespread, 'told'],
  [
    'a watcher that is down explains its silence',
    { ...page, alertname: 'ProcessDown', process: 'watch', impact: 'billing' },
    { ...page, alertname: 'WatcherSilent' },
    'held',
  ],
  [
    'a sink that is down does not',
    { ...page, alertname: 'ProcessDown', process: 'ingest', impact: 'usage_pipeline' },
    { ...page, alertname: 'WatcherSilent' },
    'told',
  ],
  [
    'a page hides the ticket of the same thing',
    { ...page, alertname: 'DiskNearlyFull', service: 'clickhouse' },
    { ...page, severity: 'ticket', alertname: 'DiskNearlyFull', service: 'clickhouse' },
    'held',
  ],
  [
    'not that of another thing',
    { ...page, alertname: 'ProcessDown', service: 'http', impact: 'billing' },
    { ...page, severity: 'ticket', alertname: 'ProcessDown', service: 'ingest' },
    'told',
  ],
  [
    'an announced load test explains its tenant',
    { ...tenant, severity: 'info', alertname: 'TenantExpected' },
    tenant,
    'held',
  ],
  [
    'not another tenant',
    { ...tenant, severity: 'info', alertname: 'TenantExpected', tenant_id: 'globex' },
    tenant,
    'told',
  ],
])('%s', async (title, cause, consequence, outcome) => {
  // Each has an environment of its own, which is what keeps environments apart in production too.
  const env = title.replaceAll(/\W+/g, '-');
  const alerts = [cause, consequence, ...CONTROL].map((labels) => ({ labels: { ...labels, env } }));
  const posted = await fetch(new URL('/api/v2/alerts', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts),
  });
  expect(posted.status).toBe(200);
  const state = await eventually(10_000, async () => {
    const address = new URL('/api/v2/alerts', url);
    address.searchParams.set('filter', `env="${env}"`);
    const found = (await (await fetch(address)).json()) as { labels: Labels; status: { state: string } }[];
    const stateOf = (wanted: Labels) =>
      found.find(({ labels }) => Object.entries(wanted).every(([label, value]) => labels[label] === value))?.status
        .state;
    return stateOf(CONTROL[1]) === 'suppressed' ? stateOf(consequence) : undefined;
  });
  expect(state).toBe(outcome === 'held' ? 'suppressed' : 'active');
});
