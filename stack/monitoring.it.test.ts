import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runAmtool, runPromtool } from './promtool.ts';
import { startStack, type Stack } from './stack.ts';
import { writeTargets } from './targets.ts';
import { eventually, processLives } from './testing/eventually.ts';

const rules = `groups:
  - name: probe
    rules:
      - alert: AlwaysFiring
        expr: vector(1)
        labels: { process: probe }
`;
const routing = `route: { receiver: pager, group_wait: 0s }
receivers:
  - name: pager
    webhook_configs: [{ url: '\${TRUEUP_ALERT_WEBHOOK_PROBE}' }]
`;

const folder = mkdtempSync(join(tmpdir(), 'trueup-monitoring-'));
const ruleFile = join(folder, 'rules.yaml');
const configFile = join(folder, 'alertmanager.yaml');
const notified: string[] = [];
let scraped: Server;
let pager: Server;
let stack: Stack;

async function listen(answer: (body: string) => string): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => response.end(answer(body)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const addressOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  writeFileSync(ruleFile, rules);
  writeFileSync(configFile, routing);
  scraped = await listen(() => '# HELP probe_total Probes.\n# TYPE probe_total counter\nprobe_total 7\n');
  pager = await listen((body) => `${notified.push(body)}`);
  stack = await startStack({
    name: `monitoring-${process.pid}`,
    servers: ['prometheus', 'alertmanager'],
    ignoreGiven: true,
    log: () => undefined,
    settings: {
      prometheus: { ruleFiles: [ruleFile], everyMs: 1_000 },
      alertmanager: { configFile, variables: { TRUEUP_ALERT_WEBHOOK_PROBE: `http://${addressOf(pager)}/` } },
    },
  });
  writeTargets(stack, [{ address: addressOf(scraped), labels: { process: 'probe' } }]);
});

afterAll(async () => {
  await stack.stop();
  for (const server of [scraped, pager]) server.close();
  rmSync(folder, { recursive: true });
});

async function fetchJson(variable: string, path: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(new URL(path, stack.env[variable]), init);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

type Sample = { metric: Record<string, string>; value: [number, string] };

async function query(expression: string): Promise<Sample[]> {
  const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
  const answer = (await fetchJson('TRUEUP_PROMETHEUS_URL', path)) as { data: { result: Sample[] } };
  return answer.data.result;
}

async function kill(server: 'prometheus' | 'alertmanager'): Promise<void> {
  const pid = stack.pid(server);
  if (pid === undefined) throw new Error(`${server} has no process`);
  process.kill(pid, 'SIGKILL');
  await eventually(10_000, () => (processLives(pid) ? undefined : true));
  await stack.untilReady(server);
}

test('a process in targets.json is scraped under its name, beside the stack’s own servers', async () => {
  const sample = await eventually(20_000, async () => (await query('probe_total'))[0]);
  expect(sample).toMatchObject({ metric: { job: 'trueup', process: 'probe' }, value: [expect.any(Number), '7'] });
  const jobs = await eventually(20_000, async () => {
    const found = await query('up == 1');
    return found.length === 3 ? new Set(found.map(({ metric }) => metric['job'])) : undefined;
  });
  expect(jobs).toEqual(new Set(['alertmanager', 'prometheus', 'trueup']));
});

test('an alert of the rule file reaches Alertmanager and from there the webhook that a variable names', async () => {
  const body = await eventually(20_000, () => notified[0]);
  expect(JSON.parse(body)).toMatchObject({
    receiver: 'pager',
    alerts: [{ status: 'firing', labels: { alertname: 'AlwaysFiring', process: 'probe' } }],
  });
});

test('samples of a process that is gone survive kill -9 of Prometheus', async () => {
  await eventually(20_000, async () => (await query('probe_total'))[0]);
  writeTargets(stack, []);
  scraped.close();
  scraped.closeAllConnections();
  await kill('prometheus');
  expect(await query('last_over_time(probe_total[5m])')).toMatchObject([{ value: [expect.any(Number), '7'] }]);
});

test('a silence survives kill -9 of Alertmanager', async () => {
  const silence = {
    matchers: [{ name: 'alertname', value: 'Quiet', isRegex: false, isEqual: true }],
    startsAt: new Date(Date.now()).toISOString(),
    endsAt: new Date(Date.now() + 3_600_000).toISOString(),
    createdBy: 'test',
    comment: 'kept',
  };
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(silence) };
  const { silenceID } = (await fetchJson('TRUEUP_ALERTMANAGER_URL', '/api/v2/silences', init)) as { silenceID: string };
  const file = join(stack.state().servers.alertmanager?.dataDir ?? '', 'data', 'silences');
  await eventually(20_000, () => (existsSync(file) && readFileSync(file).includes(silenceID) ? true : undefined));
  await kill('alertmanager');
  expect(await fetchJson('TRUEUP_ALERTMANAGER_URL', '/api/v2/silences')).toMatchObject([{ id: silenceID }]);
});

test.each([
  ['missing', undefined, 'isn’t there', 'rules.yaml'],
  ['wrong', 'groups: [{ name: g, rules: [{ alert: A, expr: "sum(" }] }]', 'would be refused', 'unclosed left paren'],
])('a rule file that is %s ends the start with its name and what is the matter', async (word, text, what, where) => {
  const file = join(folder, `${word}-rules.yaml`);
  if (text !== undefined) writeFileSync(file, text);
  const started = startStack({
    name: `monitoring-${word}-${process.pid}`,
    servers: ['prometheus'],
    ignoreGiven: true,
    log: () => undefined,
    settings: { prometheus: { ruleFiles: [file] } },
  });
  await expect(started).rejects.toMatchObject({
    what: expect.stringContaining(what),
    where: expect.stringContaining(where),
  });
});

test('promtool and amtool judge files for tests', async () => {
  expect(await runPromtool(['check', 'rules', ruleFile])).toMatchObject({ code: 0 });
  expect(await runPromtool(['check', 'metrics'], { input: 'x_total{ 1\n' })).not.toMatchObject({ code: 0 });
  expect(await runAmtool(['check-config', join(folder, 'none.yaml')])).not.toMatchObject({ code: 0 });
});
