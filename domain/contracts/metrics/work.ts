// Metrics of the workers: rollups, the continuous proof, reconciliation, and of every process.

import { CODE_CLASSES } from './ingest.ts';
import { TENANT, WORK_SECONDS, type MetricTable } from './spec.ts';

export const AGGREGATE_METRICS = {
  trueup_aggregate_passes_total: {
    kind: 'counter',
    help: 'Passes of the rollup worker over its work list that found work',
    unit: 'total',
    stage: 'aggregate',
    labels: { outcome: ['done', 'failed'] },
  },
  trueup_aggregate_pass_seconds: {
    kind: 'histogram',
    help: 'Duration of a pass that found work',
    unit: 'seconds',
    stage: 'aggregate',
    labels: {},
    buckets: WORK_SECONDS,
  },
  trueup_aggregate_blocks_total: {
    kind: 'counter',
    help: 'Blocks that are in all grains of the rollup, by the first shard',
    unit: 'total',
    stage: 'aggregate',
    labels: {},
  },
  trueup_aggregate_events_total: {
    kind: 'counter',
    help: 'Events counted today in business time, of all tenants',
    unit: 'total',
    stage: 'aggregate',
    labels: {},
  },
  trueup_aggregate_tenant_events_total: {
    kind: 'counter',
    help: 'The same by tenant',
    unit: 'total',
    stage: 'aggregate',
    labels: { tenant: TENANT },
  },
  trueup_aggregate_active_tenants: {
    kind: 'gauge',
    help: 'Tenants with usage today in business time',
    unit: 'tenants',
    stage: 'aggregate',
    labels: {},
  },
} as const satisfies MetricTable;

export const INTEGRITY_METRICS = {
  trueup_integrity_checks_total: {
    kind: 'counter',
    help: 'Checks of the continuous proof, by whether they could look',
    unit: 'total',
    stage: 'integrity',
    labels: { outcome: ['looked', 'failed'] },
  },
  trueup_integrity_run_seconds: {
    kind: 'histogram',
    help: 'Duration of one run of all checks',
    unit: 'seconds',
    stage: 'integrity',
    labels: {},
    buckets: WORK_SECONDS,
  },
} as const satisfies MetricTable;

/** Also the names of activity types; a test compares them with the activities themselves. */
export const RECONCILE_ACTIVITIES = [
  'readClock',
  'findEndedPeriod',
  'openRun',
  'claimDrafts',
  'takeBarrier',
  'checkRolledUp',
  'closePeriod',
  'rateAccounts',
  'pushUsage',
  'readBack',
  'resendUsage',
  'billAccounts',
  'compareAccounts',
  'pushOpenHours',
  'takeLateBarrier',
  'comparePeriod',
  'writeReport',
] as const;

/** Resources of Stripe's API that Trueup calls, as the path names them. */
export const STRIPE_RESOURCES = [
  'invoices',
  'invoiceitems',
  'credit_notes',
  'subscriptions',
  'customers',
  'meters',
  'meter_events',
  'events',
  'other',
] as const;

export const STRIPE_OUTCOMES = ['ok', 'client_error', 'rate_limited', 'server_error', 'unreachable'] as const;

export const RECONCILE_METRICS = {
  trueup_reconcile_activities_total: {
    kind: 'counter',
    help: 'Activities that ended, by kind of outcome; unavailable ones are tried again',
    unit: 'total',
    stage: 'reconcile',
    labels: { activity: RECONCILE_ACTIVITIES, outcome: ['done', 'unavailable', 'rejected', 'conflict', 'bug'] },
  },
  trueup_reconcile_activity_seconds: {
    kind: 'histogram',
    help: 'Duration of an activity attempt',
    unit: 'seconds',
    stage: 'reconcile',
    labels: { activity: RECONCILE_ACTIVITIES },
    buckets: [0.1, 1, 10, 60, 600],
  },
  trueup_reconcile_pushed_values_total: {
    kind: 'counter',
    help: 'Hour totals of open periods that were sent to the biller',
    unit: 'total',
    stage: 'reconcile',
    labels: {},
  },
  trueup_reconcile_pushed_timestamp_seconds: {
    kind: 'gauge',
    help: 'When open hours were last looked through and sent, machine time',
    unit: 'timestamp_seconds',
    stage: 'reconcile',
    labels: {},
  },
  trueup_reconcile_stripe_requests_total: {
    kind: 'counter',
    help: 'Requests to Stripe',
    unit: 'total',
    stage: 'reconcile',
    labels: { resource: STRIPE_RESOURCES, outcome: STRIPE_OUTCOMES },
  },
  trueup_reconcile_stripe_request_seconds: {
    kind: 'histogram',
    help: 'Time from sending a request to Stripe until its answer',
    unit: 'seconds',
    stage: 'reconcile',
    labels: { resource: STRIPE_RESOURCES },
    buckets: [0.03, 0.1, 0.3, 1, 3, 10, 30],
  },
  trueup_reconcile_webhooks_total: {
    kind: 'counter',
    help: "Requests to the webhooks' door",
    unit: 'total',
    stage: 'reconcile',
    labels: { code_class: CODE_CLASSES },
  },
} as const satisfies MetricTable;

export const PROCESS_NAMES = ['ingest', 'http', 'aggregate', 'integrity', 'reconcile', 'watch'] as const;

export const PROCESS_METRICS = {
  trueup_process_build_info: {
    kind: 'gauge',
    help: 'Always 1; which process this is, on which version',
    unit: 'info',
    stage: 'process',
    labels: { name: PROCESS_NAMES, version: { open: 'released versions', most: 2 } },
  },
  trueup_process_ready_up: {
    kind: 'gauge',
    help: 'Whether a readiness check passed when it was last asked (1) or not (0)',
    unit: 'up',
    stage: 'process',
    labels: { check: ['consumption', 'rollup', 'outbox', 'workflows', 'log', 'databases', 'reads'] },
  },
  trueup_process_label_overflow_total: {
    kind: 'counter',
    help: 'Values that were counted as "other" because their label may not hold more',
    unit: 'total',
    stage: 'process',
    labels: {},
  },
} as const satisfies MetricTable;
