// What Trueup promises over 30 days, and how it is counted. A look or a request whose outcome is not known counts as bad,
// because a failed read is never a good one.

import type { SLOS } from '../../domain/contracts/metrics/watch.ts';
import { BILLING, FLOW, type Alert, type Cause } from '../alerts/alert.ts';

/** PromQL of a counter's selector, to stand before a range. */
type Selector = string;

export type Slo = {
  readonly name: (typeof SLOS)[number] | 'api-availability' | 'api-latency';
  /** Share that must be good. */
  readonly objective: number;
  readonly good: Selector;
  readonly all: Selector;
  /** Bad ones in the long window below which nobody is told: with little traffic one failure is a large share. */
  readonly badAtLeast?: number;
  readonly alert: Pick<Alert, 'name' | 'impact' | 'team' | 'service' | 'summary' | 'means' | 'firstStep'> & {
    /** What a fast burn is: a page, or a ticket where nobody could do anything at night. */
    readonly urgent: 'page' | 'ticket';
    readonly firesWithin: Alert['firesWithin'];
    readonly explainedBy: readonly Cause[];
  };
};

const looks = (slo: (typeof SLOS)[number]) => ({
  good: `trueup_watch_slo_looks_total{slo="${slo}",outcome="good"}`,
  all: `trueup_watch_slo_looks_total{slo="${slo}"}`,
});

const STAGES: readonly Cause[] = ['ProcessDown:ingest', 'ProcessDown:aggregate', 'ConsumptionStopped', 'RollupStalled'];

export const SLO_LIST: readonly Slo[] = [
  {
    name: 'usage-freshness',
    objective: 0.995,
    ...looks('usage-freshness'),
    alert: {
      name: 'UsageFreshnessBurn',
      urgent: 'page',
      impact: 'usage_pipeline',
      team: 'platform',
      service: 'aggregate',
      firesWithin: '8m',
      summary: 'Usage reaches the rollups too late',
      means: 'Customers see old usage, and budgets and anomalies are judged on it.',
      firstStep:
        'See which half is slow: trueup_watch_lag_records (ingest) or trueup_watch_pending_oldest_seconds (rollups).',
      explainedBy: [...FLOW, ...STAGES, 'DiskNearlyFull'],
    },
  },
  {
    name: 'usage-completeness',
    objective: 0.99,
    ...looks('usage-completeness'),
    alert: {
      name: 'UsageCompletenessBurn',
      urgent: 'page',
      impact: 'usage_pipeline',
      team: 'platform',
      service: 'ingest',
      firesWithin: '12m',
      summary: 'Less usage is accepted than sources announced',
      means: 'Usage is missing and will not be billed unless it is sent again.',
      firstStep:
        'See which sources are short: trueup integrity list; one short source is theirs, all of them are ours.',
      explainedBy: [...FLOW, ...STAGES],
    },
  },
  {
    name: 'reconciliation-drift',
    objective: 0.99,
    ...looks('reconciliation-drift'),
    alert: {
      name: 'ReconciliationDriftBurn',
      urgent: 'page',
      impact: 'billing',
      team: 'billing',
      service: 'reconcile',
      firesWithin: '12m',
      summary: 'More than a thousandth of the invoiced money is in dispute with itself',
      means: 'What Trueup expects and what Stripe charged differ across accounts, so the cause is rarely one customer.',
      firstStep:
        'Stop further invoices (trueup holds add), then see which break code carries the money: trueup cases list.',
      explainedBy: BILLING,
    },
  },
  {
    name: 'reconciliation-age',
    objective: 0.99,
    ...looks('reconciliation-age'),
    alert: {
      name: 'ReconciliationAgeBurn',
      // People settle cases by day.
      urgent: 'ticket',
      impact: 'billing',
      team: 'billing',
      service: 'reconcile',
      firesWithin: '12m',
      summary: 'Cases stay unsettled beyond their due date',
      means: 'Differences grow old; at 24 hours beyond due they stand in the report as ageing.',
      firstStep: 'See who owns the overdue ones: trueup cases list.',
      explainedBy: BILLING,
    },
  },
  {
    name: 'invoice-run',
    objective: 0.995,
    ...looks('invoice-run'),
    alert: {
      name: 'InvoiceRunLateBurn',
      urgent: 'page',
      impact: 'billing',
      team: 'billing',
      service: 'reconcile',
      firesWithin: '8m',
      summary: 'The invoice run is late',
      means: 'Drafts of the ended month are not finalized in time; customers get no invoice and no money comes in.',
      firstStep: 'See what the close waits for: trueup period status, then holds and the close workflow in Temporal.',
      explainedBy: [...BILLING, 'ProcessDown:reconcile'],
    },
  },
  {
    name: 'api-availability',
    objective: 0.999,
    good: 'trueup_http_requests_total{route="events",code_class!="5xx"}',
    all: 'trueup_http_requests_total{route="events"}',
    badAtLeast: 5,
    alert: {
      name: 'ApiAvailabilityBurn',
      urgent: 'page',
      impact: 'api',
      team: 'platform',
      service: 'http',
      firesWithin: '4m',
      summary: 'The HTTP door refuses events it should take',
      means: 'Senders that do not try again lose usage. What was answered with success is safe.',
      firstStep: 'See which code it answers: trueup_http_answers_total by code.',
      explainedBy: [...FLOW, 'ProcessDown:http'],
    },
  },
  {
    name: 'api-latency',
    objective: 0.99,
    good: 'trueup_http_request_seconds_bucket{route="events",le="0.3"}',
    all: 'trueup_http_request_seconds_count{route="events"}',
    badAtLeast: 20,
    alert: {
      name: 'ApiLatencyBurn',
      urgent: 'page',
      impact: 'api',
      team: 'platform',
      service: 'http',
      firesWithin: '12m',
      summary: 'Requests take longer than 300 ms',
      means: 'Senders time out and send again. Copies count once, but load grows by that.',
      firstStep: 'Compare with the broker’s acks: trueup_http_in_flight_bytes grows when Kafka is slow.',
      explainedBy: [...FLOW, 'ProcessDown:http'],
    },
  },
];
