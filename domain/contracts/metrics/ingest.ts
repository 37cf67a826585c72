// Metrics of the sink and of the HTTP door.

import { REQUEST_CODES } from '../intake.ts';
import { REJECT_REASONS } from '../reject-reasons.ts';
import { PARTITION, WORK_SECONDS, type MetricTable } from './spec.ts';

/**
 * The objectives of the HTTP door look at `events` only. A source posts one manifest an hour and has two days for it, so a
 * refused one costs a retry and no usage; one that never comes is a finding, which the objective of completeness counts.
 */
export const HTTP_ROUTES = ['events', 'manifests', 'health', 'other'] as const;
export const CODE_CLASSES = ['2xx', '4xx', '5xx'] as const;

/** A redirect counts as an answer that was wanted. */
export function codeClassOf(status: number): (typeof CODE_CLASSES)[number] {
  if (status < 400) return '2xx';
  return status < 500 ? '4xx' : '5xx';
}

export const INGEST_METRICS = {
  trueup_ingest_records_total: {
    kind: 'counter',
    help: 'Records of the log that were stored, by outcome; redelivered ones count again',
    unit: 'total',
    stage: 'ingest',
    labels: { outcome: ['accepted', 'rejected'] },
  },
  trueup_ingest_rejects_total: {
    kind: 'counter',
    help: 'Records that can not be counted, by reject reason',
    unit: 'total',
    stage: 'ingest',
    labels: { reason: REJECT_REASONS },
  },
  trueup_ingest_received_bytes_total: {
    kind: 'counter',
    help: 'Bytes of record values read from the log',
    unit: 'total',
    stage: 'ingest',
    labels: {},
  },
  trueup_ingest_blocks_total: {
    kind: 'counter',
    help: 'Blocks of the log; abandoned ones went to another sink before they were written',
    unit: 'total',
    stage: 'ingest',
    labels: { outcome: ['stored', 'abandoned'] },
  },
  trueup_ingest_store_seconds: {
    kind: 'histogram',
    help: 'Time from taking a group of blocks to their being recorded',
    unit: 'seconds',
    stage: 'ingest',
    labels: {},
    buckets: WORK_SECONDS,
  },
  trueup_ingest_lag_records: {
    kind: 'gauge',
    help: 'Records behind the end of the log after the last stored block, as the sink that stored it saw it',
    unit: 'records',
    stage: 'ingest',
    labels: { partition: PARTITION },
  },
  trueup_ingest_waits_total: {
    kind: 'counter',
    help: 'Attempts that found a server unavailable',
    unit: 'total',
    stage: 'ingest',
    labels: { server: ['kafka', 'clickhouse', 'postgres'] },
  },
  trueup_ingest_manifests_total: {
    kind: 'counter',
    help: "Sources' manifests that were read",
    unit: 'total',
    stage: 'ingest',
    labels: { outcome: ['stored', 'unreadable'] },
  },
} as const satisfies MetricTable;

export const HTTP_METRICS = {
  trueup_http_requests_total: {
    kind: 'counter',
    help: 'Requests that were answered by the HTTP door',
    unit: 'total',
    stage: 'http',
    labels: { route: HTTP_ROUTES, code_class: CODE_CLASSES },
  },
  trueup_http_request_seconds: {
    kind: 'histogram',
    help: 'Time from the head of a request to its answer',
    unit: 'seconds',
    stage: 'http',
    labels: { route: HTTP_ROUTES },
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10],
  },
  trueup_http_answers_total: {
    kind: 'counter',
    help: 'Answers by code: OK, or why the request as a whole was refused',
    unit: 'total',
    stage: 'http',
    labels: { code: ['OK', ...(Object.keys(REQUEST_CODES) as (keyof typeof REQUEST_CODES)[])] },
  },
  trueup_http_source_limited_total: {
    kind: 'counter',
    help: 'Requests refused because a source sent more than its keys allow',
    unit: 'total',
    stage: 'http',
    labels: { source: { open: 'sources, in the order in which they were limited', most: 100 } },
  },
  trueup_http_in_flight_bytes: {
    kind: 'gauge',
    help: 'Bytes of requests that are read or wait for the broker',
    unit: 'bytes',
    stage: 'http',
    labels: {},
  },
} as const satisfies MetricTable;
