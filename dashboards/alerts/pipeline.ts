// Alerts of the way from the log to the rollups, and of what sources send.

import { FINDING_KINDS, FINDING_RULES, type FindingRule } from '../../domain/contracts/integrity-findings.ts';
import { FLOW, type Alert } from './alert.ts';

/** A matcher's alternatives: findings of these rules. */
const findingsOf = (isOne: (rule: FindingRule) => boolean) =>
  FINDING_KINDS.filter((kind) => isOne(FINDING_RULES[kind])).join('|');

const usage = { impact: 'usage_pipeline' } as const;

export const PIPELINE_ALERTS: readonly Alert[] = [
  {
    ...usage,
    name: 'ConsumptionStopped',
    severity: 'page',
    team: 'platform',
    service: 'ingest',
    // A log without new records has no lag, so silence of the sources doesn't wake anyone here.
    when: ({ duration }) =>
      `sum(max by (partition) (trueup_watch_lag_records)) > 0 and max(delta(trueup_watch_stored_records[${duration('5m')}])) == 0`,
    for: '2m',
    firesWithin: '9m',
    summary: 'The log grows and nothing of it is stored',
    means:
      'Usage waits in Kafka and is not lost, but no customer sees it, and no period can close. {{ $value }} records wait.',
    firstStep: 'See whether a sink runs and what it says it waits for: trueup_ingest_waits_total by server.',
    explainedBy: [...FLOW, 'ProcessDown:ingest', 'DiskNearlyFull'],
  },
  {
    ...usage,
    name: 'RollupStalled',
    severity: 'page',
    team: 'platform',
    service: 'aggregate',
    when: ({ seconds }) => `max(trueup_watch_pending_oldest_seconds) > ${seconds('5m')}`,
    for: '3m',
    firesWithin: '9m',
    summary: 'Stored usage is not rolled up',
    means:
      'Events are in the truth, but totals, usage pages and hourly pushes stand still. The oldest block has waited {{ $value | humanizeDuration }}.',
    firstStep:
      'See whether the rollup worker runs and why its passes fail: trueup_aggregate_passes_total{outcome="failed"}.',
    explainedBy: [...FLOW, 'ProcessDown:aggregate', 'DiskNearlyFull'],
  },
  {
    name: 'IntegrityFindingOpen',
    severity: 'page',
    // Not the pipeline's: it may stay open for days, and tenants' alerts must not be held back that long.
    impact: 'billing',
    team: 'platform',
    service: 'integrity',
    when: () => `max by (kind) (trueup_watch_open_findings{kind=~"${findingsOf(({ stopsClose }) => stopsClose)}"}) > 0`,
    for: '5m',
    firesWithin: '6m',
    summary: 'Stored usage is damaged: {{ $labels.kind }}',
    means:
      'The continuous proof found usage that is missing, altered or not what the log says. Nothing closes over it; the log still holds everything.',
    firstStep: 'Read the finding and its next step: trueup integrity list.',
    explainedBy: [],
  },
  {
    name: 'IntegrityFindingOpen',
    severity: 'ticket',
    impact: 'billing',
    team: 'data-plane',
    // Another thing than what the page is about, which therefore doesn't hide it.
    service: 'sources',
    when: () =>
      `max by (kind) (trueup_watch_open_findings{kind=~"${findingsOf(({ promise }) => promise === 'I2')}"}) > 0`,
    for: '15m',
    firesWithin: '16m',
    summary: 'A source sent one id with different contents',
    means: 'The first copy is billed, the others are not. If the first one was wrong, a customer pays for it.',
    firstStep: 'Find the source: trueup integrity list; tell its owners that an id must never be used twice.',
    explainedBy: [],
  },
  {
    ...usage,
    name: 'SourceShortOrSilent',
    severity: 'ticket',
    team: 'data-plane',
    service: 'ingest',
    when: () =>
      `max by (kind) (trueup_watch_open_findings{kind=~"${findingsOf(({ promise }) => promise === 'S0')}"}) > 0`,
    for: '30m',
    firesWithin: '31m',
    summary: 'What a source says it produced is not what arrived: {{ $labels.kind }}',
    means:
      'Usage of the hours in question is missing or too much until the source sends again. {{ $value }} such findings.',
    firstStep:
      'Name the source and the hours: trueup integrity list; ask the source to send them again, copies count once.',
    explainedBy: [...FLOW, 'ProcessDown:ingest', 'ConsumptionStopped', 'RollupStalled'],
  },
  {
    ...usage,
    name: 'RejectsSurge',
    severity: 'ticket',
    team: 'data-plane',
    service: 'ingest',
    // Twenty at least: at night one bad record of ten must not look like a broken release.
    when: ({ duration }) => {
      const rejected = 'trueup_ingest_records_total{outcome="rejected"}';
      const share = `sum(rate(${rejected}[${duration('15m')}])) / sum(rate(trueup_ingest_records_total[${duration('15m')}]))`;
      return `${share} > 0.02 and sum(increase(${rejected}[${duration('15m')}])) >= 20`;
    },
    for: '10m',
    firesWithin: '13m',
    summary: '{{ $value | humanizePercentage }} of the records can not be counted',
    means: 'Rejected usage is not billed. It is kept with its reason and can be replayed once the source is mended.',
    firstStep: 'See which reason grew (trueup_ingest_rejects_total by reason), then read samples: trueup rejects list.',
    explainedBy: [],
  },
];
