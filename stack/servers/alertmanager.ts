// Alertmanager: groups, inhibits and routes alerts to the receivers' webhooks.
// Promises: alone (no gossip port); silences, and who was notified of what, survive kill -9 once they are five seconds old.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StackError } from '../errors.ts';
import { answersGet } from './http.ts';
import { must, type Server, type StartContext } from './server.ts';
import { checkFiles, installWithChecker } from './with-checker.ts';

const checkout = dirname(dirname(import.meta.dirname));
const generatedConfig = join(checkout, 'dashboards', 'generated', 'alertmanager', 'alertmanager.yaml');
/** Nobody listens on the discard port: the notification is tried, fails, and is counted as failed. */
const nowhere = 'http://127.0.0.1:9/';

export const alertmanager: Server = {
  name: 'alertmanager',
  variables: ['TRUEUP_ALERTMANAGER_URL'],
  ports: ['http'],
  composeService: 'alertmanager',
  readyWithinMs: 30_000,

  async install(log) {
    const programs = ['prometheus-alertmanager', 'alertmanager'];
    const debian = 'usr/bin/prometheus-alertmanager';
    const installed = await installWithChecker({ name: 'alertmanager', programs, debian, checker: 'amtool' }, log);
    checkTemplates(installed['program']);
    return installed;
  },

  configure,

  async start(context) {
    const config = await configure(context);
    await checkFiles(context.installed, ['check-config', config], config);
    const listen = `127.0.0.1:${must(context.ports, 'http')}`;
    const web = [`--web.listen-address=${listen}`, `--web.external-url=http://${listen}`, '--cluster.listen-address='];
    const keep = [`--storage.path=${join(context.dataDir, 'data')}`, '--data.maintenance-interval=5s'];
    return {
      command: must(context.installed, 'program'),
      args: [`--config.file=${config}`, ...keep, ...web, '--log.level=warn'],
      cwd: context.dataDir,
    };
  },

  addresses: (ports) => ({ TRUEUP_ALERTMANAGER_URL: `http://127.0.0.1:${must(ports, 'http')}` }),

  ready: async (addresses) => answersGet(new URL('/-/ready', must(addresses, 'TRUEUP_ALERTMANAGER_URL')), 'OK'),
};

async function configure({ dataDir, settings }: StartContext): Promise<string> {
  const { variables = {}, otherwise = nowhere } = settings.alertmanager ?? {};
  const text = await readConfig(settings.alertmanager?.configFile ?? generatedConfig);
  const config = join(dataDir, 'alertmanager.yaml');
  await writeFile(config, fillIn(text, { ...process.env, ...variables }, otherwise));
  return config;
}

/** Alertmanager reads no environment: every ${TRUEUP_…} becomes its value, or `otherwise` where it has none. */
export function fillIn(text: string, values: Readonly<Record<string, string | undefined>>, otherwise: string): string {
  return text.replaceAll(/\$\{(TRUEUP_\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? '';
    return value === '' ? otherwise : value;
  });
}

async function readConfig(file: string): Promise<string> {
  if (existsSync(file)) return readFile(file, 'utf8');
  throw new StackError({
    what: 'Alertmanager’s configuration isn’t there',
    where: file,
    next: 'write it with npm run dashboards, or correct settings.alertmanager.configFile of this stack',
  });
}

/** Debian's build reads its templates from this path and ends without them, so a package unpacked elsewhere can't run. */
function checkTemplates(program = ''): void {
  const templates = '/usr/share/prometheus/alertmanager/default.tmpl';
  if (!program.endsWith('/prometheus-alertmanager') || existsSync(templates)) return;
  throw new StackError({
    what: 'Debian’s Alertmanager only runs where its package is installed',
    where: `${templates} is missing`,
    next: 'apt-get install prometheus-alertmanager as root, or put another `alertmanager` on PATH',
  });
}
