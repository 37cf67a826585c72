// "Usage pipeline": for on-call. Does usage get from the log into the rollups, is it all there, and what stands in its way.

import { createBoard, type Board } from './board.ts';
import { board, runbook, runbooksVariable, TENANT_OF_CELL, UIDS } from './links.ts';
import { perMinute, quantile, rate } from './expressions.ts';
import { bars, series, stat, table } from './panels.ts';
import { QUERIES } from './queries.ts';
import { sourceVariable } from './sources.ts';

export function createUsagePipeline(runbooks?: string): Board {
  return createBoard({
    uid: UIDS.pipeline,
    title: 'Usage pipeline',
    description:
      'From the log to the rollups: is usage fresh, complete and provably right, and if not, what stands in its way?',
    from: 'now-3h',
    variables: [sourceVariable('metrics'), sourceVariable('usage'), runbooksVariable(runbooks)],
    rows: [
      { title: 'Is it broken?', panels: brokenPanels() },
      { title: 'The way of usage', panels: wayPanels() },
      { title: 'Work', panels: workPanels() },
      { title: 'Proof', panels: proofPanels() },
      { title: 'HTTP door', panels: doorPanels() },
    ],
  });
}

const brokenPanels = () => [
  stat({
    title: 'Processes not ready',
    description: 'Processes that do not answer Prometheus, and readiness checks that fail. Normal: all ready.',
    unit: 'suffix:not ready',
    queries: [
      {
        promql:
          '(count(up{job="trueup"}) - sum(up{job="trueup"})) + (count(trueup_process_ready_up) - sum(trueup_process_ready_up))',
      },
    ],
    levels: { bad: 1 },
    words: { 0: 'All ready' },
    link: runbook('ProcessDown'),
    width: 4,
  }),
  stat({
    title: 'Silent servers',
    description:
      'Kafka, ClickHouse, Postgres, Redis, Temporal and Stripe, each asked with a real request. Normal: all answer.',
    unit: 'suffix:silent',
    queries: [{ promql: 'count(trueup_watch_server_up) - sum(trueup_watch_server_up)' }],
    levels: { bad: 1 },
    words: { 0: 'All answer' },
    link: runbook('DependencyDown'),
    width: 4,
  }),
  stat({
    title: 'Freshness',
    description:
      'Age of the oldest record that is in the log and not yet in the rollups. The objective is five minutes.',
    unit: 's',
    queries: [{ promql: 'max(trueup_watch_freshness_seconds)' }],
    levels: { warn: 120, bad: 300 },
    words: { 0: 'Up to date' },
    link: runbook('UsageFreshnessBurn'),
    width: 4,
  }),
  stat({
    title: 'Completeness',
    description: 'Accepted events over those that the sources announced, of the hours whose manifests are due.',
    unit: 'percentunit',
    decimals: 2,
    queries: [{ promql: 'min(trueup_watch_completeness_ratio)' }],
    levels: { warn: 1, bad: 0.999, low: true },
    words: { 1: 'Complete' },
    link: runbook('UsageCompletenessBurn'),
    width: 4,
  }),
  stat({
    title: 'Findings of the proof',
    description: 'Open findings: usage that is missing, altered, or not what log and sources say. Normal: none.',
    unit: 'suffix:open',
    queries: [{ promql: 'sum(trueup_watch_open_findings)' }],
    levels: { bad: 1 },
    words: { 0: 'None' },
    link: runbook('IntegrityFindingOpen'),
    width: 4,
  }),
  stat({
    title: 'Age of the last look',
    description: 'How long ago the watcher finished looking at everything. When it is old, this row is as old.',
    unit: 's',
    decimals: 0,
    queries: [{ promql: 'time() - max(trueup_watch_looked_timestamp_seconds)' }],
    levels: { warn: 120, bad: 300 },
    link: runbook('WatcherSilent'),
    width: 4,
  }),
];

const wayPanels = () => [
  series({
    title: 'Records stored',
    description: 'Records of the log that the sinks stored, as usage or as rejects. Redelivered ones count again.',
    unit: 'recps',
    draw: 'stacked',
    queries: [{ promql: rate('trueup_ingest_records_total', 'outcome'), legend: '{{outcome}}' }],
    link: board('tenant', 'One tenant'),
    width: 12,
  }),
  series({
    title: 'Records behind the log',
    description:
      'Records in the log that are not stored, as the stores have it and as the sinks see it. Normal: near 0.',
    unit: 'short',
    queries: [
      { promql: 'max(trueup_watch_log_end_records) - max(trueup_watch_stored_records)', legend: 'not stored' },
      { promql: 'sum(max by (partition) (trueup_ingest_lag_records))', legend: 'as the sinks see it' },
      { promql: 'max(trueup_watch_lag_records)', legend: 'worst partition' },
    ],
    link: runbook('ConsumptionStopped'),
    width: 12,
  }),
  series({
    title: 'Time until usage counts',
    description:
      'Age of the oldest record not rolled up, and of the oldest block that is stored and waits for the rollup.',
    unit: 's',
    queries: [
      { promql: 'max(trueup_watch_freshness_seconds)', legend: 'from the log' },
      { promql: 'max(trueup_watch_pending_oldest_seconds)', legend: 'from the store' },
    ],
    limit: 300,
    link: runbook('RollupStalled'),
    width: 12,
  }),
  series({
    title: 'Rejected records by reason',
    description:
      'Records that can not be counted. Each reason has a next step for the sender; the table below has the newest.',
    unit: 'recps',
    draw: 'bars',
    queries: [{ promql: `${rate('trueup_ingest_rejects_total', 'reason')} > 0`, legend: '{{reason}}' }],
    link: runbook('RejectsSurge'),
    width: 12,
  }),
];

const workPanels = () => [
  series({
    title: 'Duration of work, 95 %',
    description:
      'How long storing a group of blocks, a rollup pass and a run of the proof take, but for the slowest 5 %.',
    unit: 's',
    queries: [
      { promql: quantile(0.95, 'trueup_ingest_store_seconds'), legend: 'store' },
      { promql: quantile(0.95, 'trueup_aggregate_pass_seconds'), legend: 'roll up' },
      { promql: quantile(0.95, 'trueup_integrity_run_seconds'), legend: 'prove' },
    ],
    link: runbook('RollupStalled'),
    width: 8,
  }),
  series({
    title: 'Blocks of the log',
    description: 'Blocks stored, given up to another sink, and rolled up. Stored and rolled up should run together.',
    unit: 'cps',
    queries: [
      { promql: rate('trueup_ingest_blocks_total', 'outcome'), legend: '{{outcome}}' },
      { promql: rate('trueup_aggregate_blocks_total'), legend: 'rolled up' },
    ],
    link: runbook('RollupStalled'),
    width: 8,
  }),
  series({
    title: 'Attempts that failed',
    description:
      'Per minute: waits for a server, passes, checks and looks that failed, manifests that can not be read. Normal: 0.',
    unit: 'cpm',
    draw: 'bars',
    queries: [
      { promql: perMinute('trueup_ingest_waits_total', 'server'), legend: 'sink waits for {{server}}' },
      { promql: perMinute('trueup_aggregate_passes_total{outcome="failed"}'), legend: 'rollup pass' },
      { promql: perMinute('trueup_integrity_checks_total{outcome="failed"}'), legend: 'check of the proof' },
      { promql: perMinute('trueup_watch_reads_total{outcome="failed"}', 'part'), legend: 'look at {{part}}' },
      { promql: perMinute('trueup_ingest_manifests_total{outcome="unreadable"}'), legend: 'manifest' },
    ],
    link: runbook('DependencyDown'),
    width: 8,
  }),
  series({
    title: 'Blocks that wait for the rollup',
    description: 'Stored blocks that are not rolled up. A line that only grows is a rollup that stands still.',
    unit: 'short',
    queries: [{ promql: 'max(trueup_watch_pending_blocks)', legend: 'waiting' }],
    link: runbook('RollupStalled'),
    width: 8,
  }),
  series({
    title: 'Memory',
    description:
      'Memory of each process and the version it runs, and the bytes of HTTP requests that wait for the broker.',
    unit: 'bytes',
    queries: [
      {
        promql:
          'sum by (process, instance) (process_resident_memory_bytes{job="trueup"}) * on (process, instance) group_left (version) max by (process, instance, version) (trueup_process_build_info)',
        legend: '{{process}} {{version}}',
      },
      { promql: 'sum(trueup_http_in_flight_bytes)', legend: 'requests in flight' },
    ],
    link: runbook('ProcessDown'),
    width: 8,
  }),
  series({
    title: 'Bytes read from the log',
    description: 'Bytes of record values that the sinks read.',
    unit: 'Bps',
    queries: [{ promql: rate('trueup_ingest_received_bytes_total'), legend: 'read' }],
    link: runbook('ConsumptionStopped'),
    width: 8,
  }),
];

const proofPanels = () => [
  bars({
    title: 'Findings by kind',
    description: 'Open findings of the continuous proof. trueup integrity list names each one and its next step.',
    unit: 'short',
    queries: [{ promql: 'sort_desc(max by (kind) (trueup_watch_open_findings))', legend: '{{kind}}' }],
    levels: { bad: 1 },
    link: runbook('IntegrityFindingOpen'),
    width: 10,
    height: 9,
  }),
  table({
    title: 'Newest rejected records',
    description:
      'The last ten rejects of the chosen range, with the coordinates under which trueup events shows the record.',
    unit: 'none',
    queries: [{ sql: QUERIES.newestRejects }],
    columns: { Arrived: { unit: 'dateTimeAsIso' }, Tenant: { link: TENANT_OF_CELL } },
    link: runbook('RejectsSurge'),
    width: 14,
    height: 9,
  }),
];

const doorPanels = () => [
  series({
    title: 'Requests by answer',
    description: 'Requests with events by class of answer. 4xx is for the sender to mend, 5xx is ours.',
    unit: 'reqps',
    draw: 'stacked',
    queries: [{ promql: rate('trueup_http_requests_total{route="events"}', 'code_class'), legend: '{{code_class}}' }],
    link: runbook('ApiAvailabilityBurn'),
    width: 12,
  }),
  series({
    title: 'Time to answer',
    description: 'From the head of a request with events to its answer, which comes after the broker has it.',
    unit: 's',
    queries: [0.5, 0.95, 0.99].map((share) => ({
      promql: quantile(share, 'trueup_http_request_seconds', '{route="events"}'),
      legend: `${share * 100} %`,
    })),
    link: runbook('ApiLatencyBurn'),
    width: 12,
  }),
];
