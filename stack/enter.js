// The one door of every npm script. Plain JavaScript for Node 18 and later, no dependencies: it must run before anything is installed.
// Promises: packages are those of package-lock.json, the task runs on the Node of the lock file, and its exit code is ours.
// When it dies: a half-done install has no stamp, so the next entry installs again.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { constants } from 'node:os';
import { fail, installPackages, packagesAreCurrent } from './install-packages.js';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));

const tasks = {
  demo: {
    file: 'fixtures/demo/main.ts',
    args: [],
    says: 'one simulated month from usage event to explained invoice difference',
  },
  test: { file: 'stack/tasks/test.ts', args: [], says: 'unit, integration and end-to-end tests' },
  check: { file: 'stack/tasks/check.ts', args: [], says: 'format, lint, types, unused code and unit tests' },
  'test:it': { file: 'stack/tasks/test.ts', args: ['it'], says: 'integration tests alone, on real servers' },
  'test:e2e': {
    file: 'stack/tasks/test.ts',
    args: ['e2e'],
    says: 'end-to-end tests alone: the month, and torture, alerts, boards and the restore drill in small',
  },
  'test:stripe-sandbox': {
    file: 'fixtures/stripe/conformance/main.ts',
    args: [],
    says: 'the simulator against a Stripe sandbox (TRUEUP_STRIPE_SANDBOX_KEY), differences printed',
  },
  'test:fuzz-breaks': {
    file: 'fixtures/fuzz-breaks/main.ts',
    args: [],
    says: 'random months with planted faults: precision and recall of what is found',
  },
  'test:runbooks': {
    file: 'dashboards/runbooks/walks/main.ts',
    args: [],
    says: 'alerts provoked on a real system, their runbooks walked and fixes applied; says which it leaves out',
  },
  'test:alerts': {
    file: 'fixtures/alerts/main.ts',
    args: [],
    says: 'an outage, a bad day and a dead Prometheus on real servers: whom they wake, against a budget',
  },
  dev: { file: 'stack/tasks/dev.ts', args: [], says: 'all servers and stages under one supervisor' },
  stack: { file: 'stack/tasks/stack.ts', args: [], says: 'up | status | down | logs <server>' },
  torture: {
    file: 'fixtures/torture/main.ts',
    args: [],
    says: 'rounds of kills, pauses, lost replies, replays and full disks; then every event counts once',
  },
  'drill:restore': {
    file: 'fixtures/drill/main.ts',
    args: [],
    says: 'an older Postgres and a lost ClickHouse, restored as docs/operations.md says',
  },
  dashboards: {
    file: 'dashboards/main.ts',
    args: [],
    says: 'writes alert rules, routes and boards from the code to dashboards/generated',
  },
  boards: {
    file: 'fixtures/boards/main.ts',
    args: [],
    says: 'the Grafana boards as pages and pictures, without Grafana; npm run boards -- --help',
  },
  trueup: {
    file: 'stack/tasks/trueup.ts',
    args: [],
    says: 'the command line: events, keys, …; npm run trueup -- help',
  },
  bench: { file: 'bench/main.ts', args: [], says: 'the measures: pipeline (default), freshness, queries, reconcile' },
  'bench:pipeline': { file: 'bench/main.ts', args: ['pipeline'], says: 'events per second against a bare insert' },
  'bench:reconcile': {
    file: 'bench/main.ts',
    args: ['reconcile'],
    says: 'a closed month of 10,000 accounts, reconciled',
  },
  'bench:freshness': {
    file: 'bench/main.ts',
    args: ['freshness'],
    says: 'broker ack to queryable minute at parts of the capacity',
  },
  'bench:queries': { file: 'bench/main.ts', args: ['queries'], says: 'usage queries at 1,000 to 100,000 tenants' },
};

function listTasks() {
  const width = Math.max(...Object.keys(tasks).map((name) => name.length));
  return Object.entries(tasks)
    .map(([name, task]) => `  npm run ${name.padEnd(width)}  ${task.says}`)
    .join('\n');
}

/** The machine's platform, or a message that says how to go on elsewhere. */
function checkPlatform() {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < 18)
    fail('Node is too old', process.version, 'install Node 18 or later; Trueup brings its own Node 24 along');
  const musl = process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined;
  const native = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch) && !musl;
  if (native) return;
  const here = `${process.platform} ${process.arch}${musl ? ' (musl)' : ''}`;
  if (process.env.TRUEUP_STACK !== 'docker' || major < 24) {
    fail(
      'unsupported platform',
      here,
      'Linux on x64 or arm64 with glibc runs natively; elsewhere put Node 24 on PATH, start a Docker engine and set TRUEUP_STACK=docker',
    );
  }
}

function nodeOfTheLock() {
  const own = join(checkout, 'node_modules', '.bin', 'node');
  return existsSync(own) ? own : process.execPath;
}

/** On Linux the task gets SIGTERM when this process is killed outright, so that no stack is left behind. */
function withParentDeathSignal(command, args) {
  const usable = process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0;
  return usable ? ['setpriv', ['--pdeathsig', 'TERM', command, ...args]] : [command, args];
}

function run(task, args) {
  const file = join(checkout, task.file);
  if (!existsSync(file)) fail('the task has no program', task.file, 'take a complete checkout');
  const node = nodeOfTheLock();
  const [command, argv] = withParentDeathSignal(node, [
    // Type stripping, and kafkajs computing a negative timer (harmless, it means "now").
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=TimeoutNegativeWarning',
    file,
    ...task.args,
    ...args,
  ]);
  const child = spawn(command, argv, {
    cwd: checkout,
    stdio: 'inherit',
    // .bin first: vitest, tsc and everything they start must find the Node of the lock file, not the machine's.
    env: { ...process.env, PATH: join(checkout, 'node_modules', '.bin') + delimiter + (process.env.PATH ?? '') },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal sends Ctrl-C to the whole group: passing it on would make two of one.
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
  }
  child.on('error', (error) =>
    fail('the task did not start', `${node}: ${error.message}`, 'remove node_modules and run again'),
  );
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

checkPlatform();
const [name, ...args] = process.argv.slice(2);
const task = Object.hasOwn(tasks, name ?? '') ? tasks[name] : undefined;
if (task === undefined) {
  console.error(`${name === undefined ? 'Name a task' : `There is no task "${name}"`}:\n${listTasks()}`);
  process.exit(2);
}
if (!packagesAreCurrent(checkout)) await installPackages(checkout);
run(task, args);
