// Alerts of what Trueup runs on: its servers, its processes, the disk, the database's replicas and the clocks.

import { FLOW, type Alert, type Dependency, type ProcessName } from './alert.ts';

// Redis belongs here because it wakes the rollup worker.
const CARRY_USAGE: readonly Dependency[] = ['kafka', 'clickhouse', 'postgres', 'redis'];

function dependencyDown(of: readonly Dependency[]): string {
  const down = `max by (server) (trueup_watch_server_up{server=~"${of.join('|')}"}) == 0`;
  return `max by (dependency) (label_replace(${down}, "dependency", "$1", "server", "(.*)"))`;
}

const MOVE_USAGE: readonly ProcessName[] = ['ingest', 'http', 'aggregate'];
const LOOK_AFTER_IT: readonly ProcessName[] = ['integrity', 'reconcile', 'watch'];

/** A process that nobody scrapes any more leaves no `up` behind, hence the second half. */
function processDown(of: readonly ProcessName[]): string {
  const gone = of.map((name) => `absent(up{process="${name}"})`);
  return [`max by (process) (up{process=~"${of.join('|')}"}) == 0`, ...gone].join(' or ');
}

const processNotReady = (of: readonly ProcessName[]) =>
  `max by (process, check) (trueup_process_ready_up{process=~"${of.join('|')}"}) == 0`;

const DEPENDENCY_DOWN = {
  name: 'DependencyDown',
  team: 'platform',
  service: '{{ $labels.dependency }}',
  // Shorter than anything it explains, so that it is there first and the rest stays quiet.
  for: '1m',
  firesWithin: '2m',
  summary: '{{ $labels.dependency }} does not answer',
  explainedBy: [],
} as const;

const PROCESS_DOWN = {
  name: 'ProcessDown',
  severity: 'page',
  team: 'platform',
  service: '{{ $labels.process }}',
  for: '2m',
  firesWithin: '3m',
  summary: 'No {{ $labels.process }} process answers',
  firstStep: 'Read its last log lines; start it again.',
  explainedBy: [],
} as const;

const PROCESS_NOT_READY = {
  name: 'ProcessNotReady',
  severity: 'page',
  team: 'platform',
  service: '{{ $labels.process }}',
  for: '5m',
  firesWithin: '6m',
  summary: 'Every {{ $labels.process }} process fails its check “{{ $labels.check }}”',
  firstStep: 'Ask one: GET /readyz says why.',
  explainedBy: [...FLOW, 'DependencyDown:temporal', 'ConsumptionStopped', 'RollupStalled'],
} as const;

/** Nothing is wrong with what is told of a tenant while there is still room, hence not the usage pipeline's. */
const DISK_NEARLY_FULL = {
  name: 'DiskNearlyFull',
  impact: 'billing',
  team: 'platform',
  service: 'clickhouse',
  summary: '{{ $value | humanizePercentage }} of the engine’s disk is free',
  firstStep: 'See what grew (system.parts by table); give the volume room before anything is dropped.',
  explainedBy: [],
} as const;

export const PLATFORM_ALERTS: readonly Alert[] = [
  {
    ...DEPENDENCY_DOWN,
    severity: 'page',
    impact: 'usage_pipeline',
    when: () => dependencyDown(CARRY_USAGE),
    means: 'Usage does not flow until it is back. Kafka keeps what was sent; senders that get no answer keep theirs.',
    firstStep: 'Look at the server itself. What it explains is held back, tenant messages too, and told afterwards.',
  },
  {
    ...DEPENDENCY_DOWN,
    severity: 'page',
    impact: 'billing',
    when: () => dependencyDown(['temporal']),
    means:
      'No period closes, no hour is pushed, no repair is applied. Workflows go on where they were once it is back.',
    firstStep: 'Look at the server itself, then at its database.',
  },
  {
    ...DEPENDENCY_DOWN,
    severity: 'ticket',
    impact: 'billing',
    when: () => dependencyDown(['stripe']),
    means: 'Pushes and invoices wait and are tried again; nothing is lost, and nobody here can end it sooner.',
    firstStep: 'Read Stripe’s status page. If a period is about to be finalized, set a hold: trueup holds add.',
  },
  {
    ...PROCESS_DOWN,
    impact: 'usage_pipeline',
    when: () => processDown(MOVE_USAGE),
    means: 'All its instances are gone or unreachable. It loses nothing by that, but usage stops at it.',
  },
  {
    ...PROCESS_DOWN,
    impact: 'billing',
    when: () => processDown(LOOK_AFTER_IT),
    means: 'All its instances are gone or unreachable. Usage flows; what this process does waits.',
  },
  {
    ...PROCESS_NOT_READY,
    impact: 'usage_pipeline',
    when: () => processNotReady(MOVE_USAGE),
    means: 'It runs and can not do its work. A door that is not ready gets no requests, so no error shows it either.',
  },
  {
    ...PROCESS_NOT_READY,
    impact: 'billing',
    when: () => processNotReady(LOOK_AFTER_IT),
    means: 'It runs and can not do its work. Usage flows; what this process does waits.',
  },
  {
    name: 'ProcessRestarting',
    severity: 'ticket',
    impact: 'usage_pipeline',
    team: 'platform',
    service: '{{ $labels.process }}',
    when: ({ duration }) =>
      `max by (process) (changes(process_start_time_seconds{process!=""}[${duration('30m')}])) > 3`,
    for: '2m',
    firesWithin: '10m',
    summary: '{{ $labels.process }} started {{ $value }} times in half an hour',
    means: 'It dies and is brought back. Work gets done in between, more slowly, and nothing counts twice.',
    firstStep: 'Read why it ended: the last lines before each start.',
    explainedBy: [...FLOW, 'DependencyDown:temporal'],
  },
  {
    ...DISK_NEARLY_FULL,
    severity: 'page',
    when: () => 'min(trueup_watch_disk_free_ratio) < 0.08',
    for: '2m',
    firesWithin: '3m',
    means: 'A full disk stops ingest and can damage what the engine is merging at that moment.',
  },
  {
    ...DISK_NEARLY_FULL,
    severity: 'ticket',
    when: () => 'min(trueup_watch_disk_free_ratio) < 0.2',
    for: '15m',
    firesWithin: '16m',
    means: 'At the usual growth there are days left, not weeks.',
  },
  {
    name: 'ReplicationLag',
    severity: 'ticket',
    impact: 'billing',
    team: 'platform',
    service: 'postgres',
    // 30 s is data, not a wait: a replica behind by that much is behind at any pace.
    when: () => 'max(trueup_watch_replication_lag_seconds) > 30',
    for: '2m',
    firesWithin: '3m',
    summary: 'A replica of the database is {{ $value | humanizeDuration }} behind',
    means:
      'Nothing reads from it, but a failover now would lose what it has not yet got: signatures, cases, block records.',
    firstStep: 'See whether it is the network, the disk or one long query: pg_stat_replication.',
    explainedBy: ['DependencyDown:postgres'],
  },
  {
    name: 'ReplicaLost',
    severity: 'ticket',
    impact: 'billing',
    team: 'platform',
    service: 'postgres',
    // A replica that is gone has no lag, so its count is watched too.
    when: ({ duration }) =>
      `max(max_over_time(trueup_watch_streaming_replicas[${duration('1d')}])) - max(trueup_watch_streaming_replicas) > 0`,
    for: '5m',
    firesWithin: '6m',
    summary: '{{ $value }} replicas fewer stream from the database than within the last day',
    means: 'The database has less to fail over to.',
    firstStep: 'See whether the replica was taken away on purpose; start it again if not.',
    explainedBy: ['DependencyDown:postgres'],
  },
  {
    name: 'ClockSkew',
    severity: 'ticket',
    impact: 'billing',
    team: 'platform',
    service: 'postgres',
    // A close refuses its barrier at five minutes; two seconds are beyond anything a synchronised clock shows.
    when: () => 'max(abs(trueup_watch_clock_skew_seconds)) > 2',
    for: '5m',
    firesWithin: '6m',
    summary: 'The clocks of the database and the watcher are {{ $value | humanizeDuration }} apart',
    means: 'At five minutes no period closes any more, because a barrier can not be taken back.',
    firstStep: 'Compare both machines with their time server.',
    explainedBy: [],
  },
];
