// Everything that rules look at, on a day on which nothing is wrong. A case changes what it is about, so that all other
// alerts are watched for staying quiet.

import { SEVERITIES } from '../../domain/contracts/severities.ts';
import { FINDING_KINDS } from '../../domain/contracts/integrity-findings.ts';
import {
  OUTBOX_QUEUES,
  PERIOD_STEPS,
  SLOS,
  WATCHED_PARTS,
  WATCHED_SERVERS,
  WORKFLOW_KINDS,
} from '../../domain/contracts/metrics/watch.ts';
import { PROCESS_NAMES } from '../../domain/contracts/metrics/work.ts';
import { clock, counter, gauge, type Story } from './series.ts';

export type World = Readonly<Record<string, Story>>;

const each = (values: readonly string[], series: (value: string) => string, story: Story): World =>
  Object.fromEntries(values.map((value) => [series(value), story]));

export const HEALTHY: World = {
  ...each(PROCESS_NAMES, (name) => `up{job="trueup",process="${name}"}`, gauge(1)),
  ...each(PROCESS_NAMES, (name) => `process_start_time_seconds{process="${name}"}`, gauge(1)),
  ...each(['ingest', 'http'], (name) => `trueup_process_ready_up{process="${name}",check="log"}`, gauge(1)),
  ...each(WATCHED_SERVERS, (server) => `trueup_watch_server_up{server="${server}"}`, gauge(1)),
  ...each(WATCHED_PARTS, (part) => `trueup_watch_reads_total{part="${part}",outcome="read"}`, counter(1)),
  ...each(SLOS, (slo) => `trueup_watch_slo_looks_total{slo="${slo}",outcome="good"}`, counter(1)),
  ...each(FINDING_KINDS, (kind) => `trueup_watch_open_findings{kind="${kind}"}`, gauge(0)),
  ...each(PERIOD_STEPS, (step) => `trueup_watch_period_overdue_seconds{step="${step}"}`, gauge(0)),
  ...each(SEVERITIES, (one) => `trueup_watch_unsettled_cases{code="USAGE_LATE",severity="${one}"}`, gauge(0)),
  ...each(WORKFLOW_KINDS, (kind) => `trueup_watch_workflow_stuck_seconds{workflow="${kind}"}`, gauge(0)),
  ...each(WORKFLOW_KINDS, (kind) => `trueup_watch_failed_workflows{workflow="${kind}"}`, gauge(0)),
  ...each(OUTBOX_QUEUES, (queue) => `trueup_watch_outbox_oldest_seconds{queue="${queue}"}`, gauge(0)),
  ...each(['0', '1'], (partition) => `trueup_watch_lag_records{partition="${partition}"}`, gauge(0)),
  trueup_watch_looked_timestamp_seconds: clock(),
  trueup_watch_stored_records: counter(1_000),
  trueup_watch_pending_oldest_seconds: gauge(1),
  trueup_watch_disk_free_ratio: gauge(0.5),
  trueup_watch_replication_lag_seconds: gauge(0.2),
  trueup_watch_streaming_replicas: gauge(1),
  trueup_watch_clock_skew_seconds: gauge(0.01),
  'trueup_watch_standing_holds{stops="pushes",scope="all"}': gauge(0),
  'trueup_ingest_records_total{outcome="accepted"}': counter(1_000),
  'trueup_ingest_records_total{outcome="rejected"}': counter(0),
  'trueup_http_requests_total{route="events",code_class="2xx"}': counter(100),
  'trueup_http_requests_total{route="events",code_class="5xx"}': counter(0),
  'trueup_http_request_seconds_bucket{route="events",le="0.3"}': counter(100),
  'trueup_http_request_seconds_bucket{route="events",le="+Inf"}': counter(100),
  'trueup_http_request_seconds_count{route="events"}': counter(100),
  'trueup_reconcile_stripe_requests_total{resource="invoices",outcome="ok"}': counter(10),
  'trueup_reconcile_stripe_requests_total{resource="invoices",outcome="server_error"}': counter(0),
  'trueup_process_label_overflow_total{process="http"}': counter(0),
  prometheus_rule_evaluation_failures_total: counter(0),
  prometheus_notifications_dropped_total: counter(0),
  'alertmanager_notifications_failed_total{integration="webhook"}': counter(0),
};
