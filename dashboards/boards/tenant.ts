// "Tenant": for support, with a customer on the phone. What do they use, does it arrive, what of it can't be counted, and
// what was closed. Every tenant is here, not only the largest that have a metric of their own.

import { REJECT_NEXT_STEP } from '../../domain/contracts/reject-reasons.ts';
import { createBoard, type Board } from './board.ts';
import { rate } from './expressions.ts';
import { board, runbook, runbooksVariable, UIDS } from './links.ts';
import { bars, series, stat, table } from './panels.ts';
import { QUERIES } from './queries.ts';
import { sourceVariable as dataSourceVariable } from './sources.ts';
import { namespaceVariable, sourceVariable, tenantPeriodVariable, tenantVariable } from './variables.ts';

export function createTenant(runbooks?: string): Board {
  return createBoard({
    uid: UIDS.tenant,
    title: 'Tenant (support)',
    description: 'One tenant: what it uses, whether it arrives, what of it can not be counted, and what was closed.',
    from: 'now-30d',
    variables: [
      dataSourceVariable('metrics'),
      dataSourceVariable('usage'),
      tenantVariable(),
      namespaceVariable(),
      tenantPeriodVariable(),
      sourceVariable(),
      runbooksVariable(runbooks),
    ],
    rows: [
      { title: 'Is it broken for $tenant?', panels: brokenPanels() },
      { title: 'Usage', panels: usagePanels() },
      { title: 'What can not be counted', panels: rejectPanels() },
      { title: 'API and senders', panels: apiPanels() },
      { title: 'Closed months', panels: closedPanels() },
    ],
  });
}

const HOUR = { minInterval: '1h', seriesLabel: 'name' } as const;
const limited = 'sum(increase(trueup_http_source_limited_total{source=~"$source"}[$__range]))';

const brokenPanels = () => [
  stat({
    title: 'Usage stands still for',
    description:
      'From the end of the newest hour with usage to the end of the chosen range. A tenant may simply be idle.',
    unit: 's',
    queries: [{ sql: QUERIES.newestUsage }],
    levels: { warn: 3 * 3_600, bad: 24 * 3_600 },
    words: { 0: 'It comes in' },
    link: board('pipeline', 'Is the pipeline fresh?'),
    width: 4,
  }),
  stat({
    title: 'Rejected records',
    description:
      'Share of the records that name the tenant which can not be counted. Records too broken to name anyone are missing here.',
    unit: 'percentunit',
    decimals: 2,
    queries: [{ sql: QUERIES.rejectedShare }],
    levels: { warn: 0.001, bad: 0.01 },
    words: { 0: 'None' },
    link: runbook('RejectsSurge'),
    width: 4,
  }),
  stat({
    title: 'Under way, 95 %',
    description:
      'From the time of an event to its arrival, but for the slowest 5 % of the last day. Late usage is billed late.',
    unit: 's',
    decimals: 0,
    queries: [{ sql: QUERIES.arrivalDelay }],
    levels: { warn: 3_600, bad: 24 * 3_600 },
    link: board('pipeline', 'Is the pipeline fresh?'),
    width: 4,
  }),
  stat({
    title: 'Rate limit hits',
    description:
      'Requests of the sources that send for this tenant which the HTTP door refused, because they sent more than allowed.',
    unit: 'suffix:refused',
    decimals: 0,
    queries: [{ promql: `${limited} or 0 * sum(increase(trueup_http_answers_total[$__range]))` }],
    levels: { warn: 1, bad: 100 },
    words: { 0: 'None' },
    link: board('pipeline', 'The HTTP door'),
    width: 4,
  }),
  stat({
    title: 'Actions',
    description: 'Billable actions of the chosen range.',
    unit: 'short',
    queries: [{ sql: QUERIES.totalActions }],
    levels: {},
    link: board('billing', 'Billing'),
    width: 4,
  }),
  stat({
    title: 'Storage',
    description: 'Active and retained storage of the chosen range, in GB-hours.',
    unit: 'suffix:GBh',
    decimals: 1,
    queries: [{ sql: QUERIES.totalStorage }],
    levels: {},
    link: board('billing', 'Billing'),
    width: 4,
  }),
];

const usagePanels = () => [
  series({
    ...HOUR,
    title: 'Actions by namespace',
    description: 'Billable actions; the six largest namespaces, and the others together.',
    unit: 'short',
    draw: 'bars',
    queries: [{ sql: QUERIES.actions }],
    link: board('billing', 'Billing'),
    width: 12,
  }),
  series({
    ...HOUR,
    title: 'Storage held',
    description: 'Active and retained storage in GB; a point is the mean of its hours.',
    unit: 'decgbytes',
    queries: [{ sql: QUERIES.storage }],
    link: board('billing', 'Billing'),
    width: 12,
  }),
  table({
    title: 'Namespaces',
    description: 'What each namespace used in the chosen range, the largest 50.',
    unit: 'none',
    queries: [{ sql: QUERIES.namespaceUsage }],
    columns: {
      Actions: { unit: 'locale', decimals: 1 },
      'Active GBh': { unit: 'locale', decimals: 1 },
      'Retained GBh': { unit: 'locale', decimals: 1 },
      Events: { unit: 'locale', decimals: 0 },
      'Newest hour': { unit: 'dateTimeAsIso' },
    },
    link: board('billing', 'Billing'),
    width: 24,
  }),
];

const rejectPanels = () => [
  table({
    title: 'Why records were rejected',
    description: 'Reasons of the chosen range, and what the sender should do. An operator can replay what was kept.',
    unit: 'none',
    queries: [{ sql: QUERIES.rejectReasons }],
    columns: {
      'What the sender should do': { words: REJECT_NEXT_STEP },
      Records: { unit: 'locale', decimals: 0, width: 90 },
      Newest: { unit: 'dateTimeAsIso', width: 170 },
    },
    link: runbook('RejectsSurge'),
    width: 14,
  }),
  series({
    title: 'Rejected records by reason',
    description: 'Records that name the tenant and can not be counted, when they arrived.',
    unit: 'short',
    draw: 'bars',
    seriesLabel: 'reason',
    minInterval: '1h',
    queries: [{ sql: QUERIES.rejectsOverTime }],
    link: runbook('RejectsSurge'),
    width: 10,
  }),
];

const apiPanels = () => [
  series({
    title: 'API calls',
    description: 'Calls of the control API that the tenant was metered for, in the last day of the range, by hour.',
    unit: 'short',
    draw: 'bars',
    lastOnly: '24h',
    queries: [{ sql: QUERIES.apiCalls }],
    link: runbook('ApiAvailabilityBurn'),
    width: 8,
  }),
  bars({
    title: 'What its events are',
    description: 'Kinds of events of the last day of the range, without storage samples.',
    unit: 'short',
    queries: [{ sql: QUERIES.eventTypes }],
    link: board('pipeline', 'The pipeline'),
    width: 8,
  }),
  series({
    title: 'Rate limit hits by source',
    description: 'Requests per minute that the HTTP door refused to the sources which send for this tenant.',
    unit: 'cpm',
    draw: 'bars',
    queries: [
      {
        promql: '60 * sum by (source) (rate(trueup_http_source_limited_total{source=~"$source"}[$__rate_interval]))',
        legend: '{{source}}',
      },
    ],
    link: board('pipeline', 'The HTTP door'),
    width: 8,
  }),
  table({
    title: 'Who sends for this tenant',
    description: 'Sources of the last day of the range, and how long their events were under way.',
    unit: 'none',
    queries: [{ sql: QUERIES.sourceArrivals }],
    columns: {
      Events: { unit: 'locale', decimals: 0 },
      'Newest event': { unit: 'dateTimeAsIso' },
      'Delay, half': { unit: 's', decimals: 0 },
      'Delay, 95 %': { unit: 's', decimals: 0 },
    },
    link: runbook('SourceShortOrSilent'),
    width: 12,
  }),
  series({
    title: 'Answers of the HTTP door, all senders',
    description:
      'Whether the door itself is well: answers by code, of everybody. A tenant’s own refusals are in the panels above.',
    unit: 'reqps',
    queries: [{ promql: `${rate('trueup_http_answers_total', 'code')} > 0`, legend: '{{code}}' }],
    link: runbook('ApiAvailabilityBurn'),
    width: 12,
  }),
];

const closedPanels = () => [
  table({
    title: 'Usage since the close of $period',
    description:
      'As it was closed, and as the rollups have it now. A difference came late, and is billed in the next period.',
    unit: 'none',
    queries: [{ sql: QUERIES.tenantClosedAndNow }],
    columns: {
      'As closed': { unit: 'locale', decimals: 1 },
      'Rolled up now': { unit: 'locale', decimals: 1 },
      'Since the close': { unit: 'locale', decimals: 1 },
    },
    link: board('billing', 'Billing'),
    width: 12,
  }),
  series({
    title: 'Events counted now',
    description: 'Live, from metrics, which name the hundred largest tenants only: this one, and all of them together.',
    unit: 'eps',
    queries: [
      { promql: rate('trueup_aggregate_tenant_events_total{tenant="$tenant"}'), legend: '$tenant' },
      { promql: rate('trueup_aggregate_events_total'), legend: 'all tenants' },
    ],
    link: board('pipeline', 'The pipeline'),
    width: 8,
  }),
  stat({
    title: 'Active tenants',
    description: 'Tenants with usage today in business time. Few of them: the trouble is not this tenant’s alone.',
    unit: 'short',
    queries: [{ promql: 'max(trueup_aggregate_active_tenants)' }],
    levels: {},
    link: board('pipeline', 'The pipeline'),
    width: 4,
    height: 8,
  }),
];
