// Who is told, as Alertmanager's own checker resolves it.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { runAmtool } from '../../stack/promtool.ts';
import { fillIn } from '../../stack/servers/alertmanager.ts';
import { ALERTS } from '../alerts/list.ts';
import { renderAlertmanagerConfig } from './config.ts';
import { RECEIVERS, type Receiver } from './routes.ts';

const folder = mkdtempSync(join(tmpdir(), 'trueup-routes-'));
const config = join(folder, 'alertmanager.yaml');
writeFileSync(config, fillIn(renderAlertmanagerConfig(), {}, 'http://127.0.0.1:9/'));
afterAll(() => rmSync(folder, { recursive: true }));

async function resolves(labels: Readonly<Record<string, string>>, receivers: readonly Receiver[]): Promise<void> {
  const { code, stdout, stderr } = await runAmtool([
    'config',
    'routes',
    'test',
    `--config.file=${config}`,
    `--verify.receivers=${receivers.join(',')}`,
    ...Object.entries(labels).map(([label, value]) => `${label}=${value}`),
  ]);
  expect(code, `${JSON.stringify(labels)} went to ${stdout}${stderr}`).toBe(0);
}

test('amtool accepts the configuration, and every variable is filled in', async () => {
  const { code, stdout, stderr } = await runAmtool(['check-config', config]);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain(`${Object.keys(RECEIVERS).length} receivers`);
});

const tenant = { scope: 'tenant', alertname: 'TenantAnomaly', tenant_id: 'acme', env: 'production' };

test.each<[string, Record<string, string>, Receiver[]]>([
  ['a tenant is support’s', { ...tenant, severity: 'ticket', team: 'support' }, ['support']],
  [
    'an attack on a tenant is support’s and security’s',
    { ...tenant, severity: 'page', team: 'security' },
    ['security', 'support'],
  ],
  [
    'a tenant about to get a bill it does not expect is support’s and billing’s',
    { ...tenant, severity: 'page', team: 'billing' },
    ['billing-on-call', 'support'],
  ],
  ['what is only worth knowing waits for the digest', { ...tenant, severity: 'info' }, ['digest']],
  ['many tenants at once are the platform’s', { scope: 'platform', severity: 'page' }, ['pager']],
  ['what nobody foresaw is a ticket', { alertname: 'SomethingElse' }, ['queue']],
  [
    'an announced deviation is told to nobody',
    { ...tenant, alertname: 'TenantExpected', severity: 'info' },
    ['nobody'],
  ],
])('%s', async (_, labels, receivers) => resolves(labels, receivers));

test('every alert of the list reaches the receiver of its severity', async () => {
  const byName: Record<string, Receiver> = { Watchdog: 'dead-man', OutageSettling: 'nobody' };
  const bySeverity = { page: 'pager', ticket: 'queue', info: 'digest' } as const;
  for (const { name, severity, team } of ALERTS)
    await resolves({ scope: 'platform', alertname: name, severity, team }, [byName[name] ?? bySeverity[severity]]);
});
