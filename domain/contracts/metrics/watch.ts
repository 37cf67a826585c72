// Metrics of the watcher: what stands in the stores, whoever is alive. A part that could not be read keeps no value: its
// gauges disappear, and its failed reads are counted.

import { BREAK_CODES } from '../break-codes.ts';
import { FINDING_KINDS } from '../integrity-findings.ts';
import { SEVERITIES } from '../severities.ts';
import { CURRENCY, PARTITION, type MetricTable } from './spec.ts';

export const WATCHED_SERVERS = ['kafka', 'clickhouse', 'postgres', 'redis', 'temporal', 'stripe'] as const;

/** What the watcher looks at, each by itself. */
export const WATCHED_PARTS = [
  'servers',
  'log',
  'rollup',
  'findings',
  'period',
  'books',
  'holds',
  'outbox',
  'workflows',
  'storage',
  'clock',
] as const;

export const SLOS = [
  'usage-freshness',
  'usage-completeness',
  'reconciliation-drift',
  'reconciliation-age',
  'invoice-run',
] as const;

export const PERIOD_STEPS = ['barrier', 'close', 'report', 'sign-off'] as const;
export const OUTBOX_QUEUES = ['doorbells', 'refetches', 'repairs'] as const;
export const WORKFLOW_KINDS = ['close', 'batch', 'push', 'other'] as const;

const gauge = 'gauge' as const;
const stage = 'watch' as const;

export const WATCH_METRICS = {
  trueup_watch_reads_total: {
    kind: 'counter',
    help: 'Looks at one part of what stands, by outcome',
    unit: 'total',
    stage,
    labels: { part: WATCHED_PARTS, outcome: ['read', 'failed'] },
  },
  trueup_watch_looked_timestamp_seconds: {
    kind: gauge,
    help: 'When the watcher last finished a look at everything, machine time',
    unit: 'timestamp_seconds',
    stage,
    labels: {},
  },
  trueup_watch_slo_looks_total: {
    kind: 'counter',
    help: 'Looks at what an objective promises, slow ones by how many were due: kept, broken, or unknown, which counts as broken',
    unit: 'total',
    stage,
    labels: { slo: SLOS, outcome: ['good', 'bad', 'unknown'] },
  },
  trueup_watch_server_up: {
    kind: gauge,
    help: 'Whether a server answered a real request (1) or not (0)',
    unit: 'up',
    stage,
    labels: { server: WATCHED_SERVERS },
  },
  trueup_watch_log_end_records: {
    kind: gauge,
    help: 'End of the usage topic, all partitions together',
    unit: 'records',
    stage,
    labels: {},
  },
  trueup_watch_stored_records: {
    kind: gauge,
    help: 'Records of the log that are stored without a gap, all partitions together',
    unit: 'records',
    stage,
    labels: {},
  },
  trueup_watch_lag_records: {
    kind: gauge,
    help: 'Records between what is stored without a gap and the end of the log',
    unit: 'records',
    stage,
    labels: { partition: PARTITION },
  },
  trueup_watch_freshness_seconds: {
    kind: gauge,
    help: 'Age of the oldest record that is in the log and not yet in the rollups, since the watcher first saw it; 0: none',
    unit: 'seconds',
    stage,
    labels: {},
  },
  trueup_watch_pending_blocks: {
    kind: gauge,
    help: 'Stored blocks that are not rolled up',
    unit: 'blocks',
    stage,
    labels: {},
  },
  trueup_watch_pending_oldest_seconds: {
    kind: gauge,
    help: 'Age of the oldest block that is not rolled up; 0: none',
    unit: 'seconds',
    stage,
    labels: {},
  },
  trueup_watch_open_findings: {
    kind: gauge,
    help: 'Open findings of the continuous proof',
    unit: 'findings',
    stage,
    labels: { kind: FINDING_KINDS },
  },
  trueup_watch_completeness_ratio: {
    kind: gauge,
    help: 'Accepted events over announced ones, of the hours whose manifests are due; at most 1',
    unit: 'ratio',
    stage,
    labels: {},
  },
  trueup_watch_period_overdue_seconds: {
    kind: gauge,
    help: 'Business time since a step of the newest ended period was due; 0: done or not due',
    unit: 'seconds',
    stage,
    labels: { step: PERIOD_STEPS },
  },
  trueup_watch_business_timestamp_seconds: {
    kind: gauge,
    help: 'Business time',
    unit: 'timestamp_seconds',
    stage,
    labels: {},
  },
  trueup_watch_clock_skew_seconds: {
    kind: gauge,
    help: "The database's clock minus the watcher's",
    unit: 'seconds',
    stage,
    labels: {},
  },
  trueup_watch_unsettled_cases: {
    kind: gauge,
    help: 'Cases that are not settled, by break code and severity',
    unit: 'cases',
    stage,
    labels: { code: BREAK_CODES, severity: SEVERITIES },
  },
  trueup_watch_break_minor_units: {
    kind: gauge,
    help: 'Money of cases that are not settled, absolute amounts added up',
    unit: 'minor_units',
    stage,
    labels: { currency: CURRENCY },
  },
  trueup_watch_drift_ratio: {
    kind: gauge,
    help: 'Money of unsettled cases over money invoiced, of the newest reported period',
    unit: 'ratio',
    stage,
    labels: { currency: CURRENCY },
  },
  trueup_watch_invoiced_minor_units: {
    kind: gauge,
    help: 'Money invoiced for the newest reported period',
    unit: 'minor_units',
    stage,
    labels: { currency: CURRENCY },
  },
  trueup_watch_break_overdue_seconds: {
    kind: gauge,
    help: 'Business time since the most overdue unsettled case was due; 0: none is overdue',
    unit: 'seconds',
    stage,
    labels: { severity: SEVERITIES },
  },
  trueup_watch_run_accounts: {
    kind: gauge,
    help: 'Accounts of the newest run, by where they stand',
    unit: 'accounts',
    stage,
    labels: { state: ['open', 'billed', 'held', 'missing', 'failed'] },
  },
  trueup_watch_standing_holds: {
    kind: gauge,
    help: 'Holds in force, by what they stop and for whom',
    unit: 'holds',
    stage,
    labels: { stops: ['pushes', 'finalization'], scope: ['account', 'all'] },
  },
  trueup_watch_hold_expires_seconds: {
    kind: gauge,
    help: 'Business time until the next hold expires by itself',
    unit: 'seconds',
    stage,
    labels: {},
  },
  trueup_watch_outbox_messages: {
    kind: gauge,
    help: 'Work that was promised and is not done: webhooks to read, objects to fetch, approved repairs to apply',
    unit: 'messages',
    stage,
    labels: { queue: OUTBOX_QUEUES },
  },
  trueup_watch_outbox_oldest_seconds: {
    kind: gauge,
    help: 'How long the oldest of it has been due; 0: none is due',
    unit: 'seconds',
    stage,
    labels: { queue: OUTBOX_QUEUES },
  },
  trueup_watch_running_workflows: {
    kind: gauge,
    help: 'Running workflows',
    unit: 'workflows',
    stage,
    labels: { workflow: WORKFLOW_KINDS },
  },
  trueup_watch_workflow_stuck_seconds: {
    kind: gauge,
    help: 'How long the longest stuck step of a running workflow has been waiting or failing; 0: none is stuck',
    unit: 'seconds',
    stage,
    labels: { workflow: WORKFLOW_KINDS },
  },
  trueup_watch_failed_workflows: {
    kind: gauge,
    help: 'Workflows of the last week that ended in failure and were not run again',
    unit: 'workflows',
    stage,
    labels: { workflow: WORKFLOW_KINDS },
  },
  trueup_watch_disk_free_ratio: {
    kind: gauge,
    help: "Free share of the fullest disk of the engine's",
    unit: 'ratio',
    stage,
    labels: {},
  },
  trueup_watch_replication_lag_seconds: {
    kind: gauge,
    help: 'How far the slowest replica of the database is behind; 0 when there is none',
    unit: 'seconds',
    stage,
    labels: {},
  },
  trueup_watch_streaming_replicas: {
    kind: gauge,
    help: 'Replicas that stream from the database',
    unit: 'replicas',
    stage,
    labels: {},
  },
} as const satisfies MetricTable;
