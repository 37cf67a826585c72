// Prometheus: scrapes the stages, itself, Alertmanager and Temporal, and evaluates the alert rules.
// Promises: samples survive kill -9; targets.json is followed within seconds; a missing or wrong rule file stops the start and is named.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { StackError } from '../errors.ts';
import { targetsFile, writeTargetsFile } from '../targets.ts';
import { answersGet } from './http.ts';
import { must, type Peers, type Server, type Settings, type StartContext } from './server.ts';
import { checkFiles, installWithChecker } from './with-checker.ts';

const checkout = dirname(dirname(import.meta.dirname));
const generatedRules = join(checkout, 'dashboards', 'generated', 'prometheus', 'rules.yaml');
const longestScrapeMs = 10_000;

export const prometheus: Server = {
  name: 'prometheus',
  variables: ['TRUEUP_PROMETHEUS_URL'],
  ports: ['http'],
  composeService: 'prometheus',
  readyWithinMs: 30_000,

  install: async (log) =>
    installWithChecker(
      { name: 'prometheus', programs: ['prometheus'], debian: 'usr/bin/prometheus', checker: 'promtool' },
      log,
    ),

  configure,

  async start(context) {
    const config = await configure(context);
    await checkFiles(context.installed, ['check', 'config', config], config);
    const listen = `127.0.0.1:${must(context.ports, 'http')}`;
    const keep = [`--storage.tsdb.path=${join(context.dataDir, 'data')}`, '--storage.tsdb.retention.time=15d'];
    const web = [`--web.listen-address=${listen}`, `--web.external-url=http://${listen}`, '--web.enable-lifecycle'];
    const soon = [
      // A new target would wait for up to 5 s more.
      '--scrape.discovery-reload-interval=1s',
      // What fires before Alertmanager was discovered is sent only again after this: one minute at the default interval, as usual.
      `--rules.alert.resend-delay=${4 * everyMsOf(context.settings)}ms`,
    ];
    return {
      command: must(context.installed, 'program'),
      args: [`--config.file=${config}`, ...keep, ...web, ...soon, '--log.level=warn'],
      cwd: context.dataDir,
    };
  },

  addresses: (ports) => ({ TRUEUP_PROMETHEUS_URL: `http://127.0.0.1:${must(ports, 'http')}` }),

  ready: async (addresses) => answersGet(new URL('/-/ready', must(addresses, 'TRUEUP_PROMETHEUS_URL')), 'Ready'),
};

async function configure({ dataDir, settings, peers }: StartContext): Promise<string> {
  const ruleFiles = settings.prometheus?.ruleFiles ?? [generatedRules];
  const everyMs = everyMsOf(settings);
  const env = settings.prometheus?.env ?? 'dev';
  for (const file of ruleFiles) if (!existsSync(file)) throw missingRules(file);
  // What the last life scraped is gone; whoever starts processes writes the new list.
  writeTargetsFile(dataDir, []);
  const config = join(dataDir, 'prometheus.yaml');
  await writeFile(config, stringify(createConfig({ ruleFiles, everyMs, env, peers, targets: targetsFile(dataDir) })));
  return config;
}

function everyMsOf(settings: Settings): number {
  return settings.prometheus?.everyMs ?? 15_000;
}

type Wanted = { ruleFiles: readonly string[]; everyMs: number; env: string; peers: Peers; targets: string };

/** Rules stay where they are, so that POST /-/reload reads what was written there since. */
function createConfig(wanted: Wanted) {
  const { peers, everyMs } = wanted;
  const own = (job: string, address: string | undefined) =>
    address === undefined ? [] : [{ job_name: job, static_configs: [{ targets: [address] }] }];
  const alertmanager = hostOf(peers.alertmanager?.addresses['TRUEUP_ALERTMANAGER_URL']);
  const temporalPort = peers.temporal?.ports['metrics'];
  return {
    global: {
      scrape_interval: `${everyMs}ms`,
      scrape_timeout: `${Math.min(everyMs, longestScrapeMs)}ms`,
      evaluation_interval: `${everyMs}ms`,
      external_labels: { env: wanted.env },
    },
    rule_files: wanted.ruleFiles,
    alerting: {
      alertmanagers: alertmanager === undefined ? [] : [{ static_configs: [{ targets: [alertmanager] }] }],
    },
    scrape_configs: [
      { job_name: 'trueup', file_sd_configs: [{ files: [wanted.targets], refresh_interval: '1s' }] },
      ...own('prometheus', hostOf(peers.prometheus?.addresses['TRUEUP_PROMETHEUS_URL'])),
      ...own('alertmanager', alertmanager),
      ...own('temporal', temporalPort === undefined ? undefined : `127.0.0.1:${temporalPort}`),
    ],
  };
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).host;
}

function missingRules(file: string): StackError {
  return new StackError({
    what: 'Prometheus is to load a rule file that isn’t there',
    where: file,
    next: 'write it with npm run dashboards, or correct settings.prometheus.ruleFiles of this stack',
  });
}
