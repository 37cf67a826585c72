// "Billing and reconciliation": for finance and whoever supports it. Does every account get a right bill in time, what is
// the money of what differs, and does the work behind it go on.

import { createBoard, type Board } from './board.ts';
import { money, perMinute, quantile, rate } from './expressions.ts';
import { board, runbook, runbooksVariable, UIDS } from './links.ts';
import { bars, series, stat, table } from './panels.ts';
import { QUERIES } from './queries.ts';
import { sourceVariable } from './sources.ts';
import { periodVariable } from './variables.ts';

export function createBilling(runbooks?: string): Board {
  return createBoard({
    uid: UIDS.billing,
    title: 'Billing and reconciliation',
    description: 'Does every account get the right bill in time, how much money is in doubt, and does the work go on?',
    from: 'now-24h',
    variables: [sourceVariable('metrics'), sourceVariable('usage'), periodVariable(), runbooksVariable(runbooks)],
    rows: [
      { title: 'Is it broken?', panels: brokenPanels() },
      { title: 'Money and cases', panels: moneyPanels() },
      { title: 'The close', panels: closePanels() },
      { title: 'Work', panels: workPanels() },
      { title: 'Stripe', panels: stripePanels() },
    ],
  });
}

const brokenPanels = () => [
  stat({
    title: 'Accounts not billed',
    description: 'Accounts of the newest run that are held back, without an invoice, or failed. Each has a case.',
    unit: 'suffix:accounts',
    queries: [{ promql: 'sum(max by (state) (trueup_watch_run_accounts{state=~"held|missing|failed"}))' }],
    levels: { warn: 1 },
    words: { 0: 'None' },
    link: runbook('CriticalBreakOpen'),
    width: 4,
  }),
  stat({
    title: 'Money in doubt',
    description:
      'Money of unsettled cases over money invoiced, of the newest reported period, the worst currency. Objective: 0.1 %.',
    unit: 'percentunit',
    decimals: 2,
    queries: [{ promql: 'max(trueup_watch_drift_ratio)' }],
    levels: { bad: 0.001 },
    words: { 0: 'None' },
    link: runbook('ReconciliationDriftBurn'),
    width: 4,
  }),
  stat({
    title: 'Overdue cases',
    description: 'How long the most overdue unsettled case has been due, in business time.',
    unit: 's',
    queries: [{ promql: 'max(trueup_watch_break_overdue_seconds)' }],
    levels: { warn: 1, bad: 86_400 },
    words: { 0: 'None' },
    link: runbook('ReconciliationAgeBurn'),
    width: 4,
  }),
  stat({
    title: 'Close of the month',
    description: 'How late the latest step of the newest ended period is, in business time.',
    unit: 's',
    queries: [{ promql: 'max(trueup_watch_period_overdue_seconds)' }],
    levels: { warn: 1, bad: 3_600 },
    words: { 0: 'On time' },
    link: runbook('PeriodStepOverdue'),
    width: 4,
  }),
  stat({
    title: 'Stuck work',
    description:
      'How long the longest stuck step of a workflow has waited or failed. Accounts behind it are not billed.',
    unit: 's',
    queries: [{ promql: 'max(trueup_watch_workflow_stuck_seconds)' }],
    levels: { warn: 1, bad: 600 },
    words: { 0: 'Nothing' },
    link: runbook('WorkflowStuck'),
    width: 4,
  }),
  stat({
    title: 'Failed Stripe calls',
    description:
      'Share of requests to Stripe of the chosen range that were not answered as wanted. A few rate limits are normal.',
    unit: 'percentunit',
    decimals: 1,
    queries: [
      {
        promql:
          '(sum(increase(trueup_reconcile_stripe_requests_total{outcome!="ok"}[$__range])) or 0 * sum(increase(trueup_reconcile_stripe_requests_total[$__range]))) / sum(increase(trueup_reconcile_stripe_requests_total[$__range]))',
      },
    ],
    levels: { warn: 0.02, bad: 0.1 },
    words: { 0: 'None' },
    link: runbook('StripeErrors'),
    width: 4,
  }),
];

const moneyPanels = () => [
  bars({
    title: 'Invoiced, and in doubt',
    description:
      'Money invoiced for the newest reported period, and money of all unsettled cases, absolute amounts added up.',
    unit: 'locale',
    decimals: 2,
    queries: [
      { promql: money('trueup_watch_invoiced_minor_units'), legend: '{{currency}} invoiced' },
      { promql: money('trueup_watch_break_minor_units'), legend: '{{currency}} in doubt' },
    ],
    link: runbook('ReconciliationDriftBurn'),
    width: 12,
    height: 7,
  }),
  bars({
    title: 'Unsettled cases by break code',
    description:
      'What differs between usage, invoices and cash. Each code has a rule and a usual resolution in docs/finance.md.',
    unit: 'short',
    queries: [
      {
        promql: 'sort_desc(sum by (code) (max by (code, severity) (trueup_watch_unsettled_cases)) > 0)',
        legend: '{{code}}',
      },
    ],
    levels: { warn: 1 },
    link: runbook('CriticalBreakOpen'),
    width: 12,
    height: 7,
  }),
  series({
    title: 'Unsettled cases by severity',
    description: 'A line that does not fall is work that nobody does. Critical ones are due within a day.',
    unit: 'short',
    draw: 'stacked',
    queries: [
      { promql: 'sum by (severity) (max by (code, severity) (trueup_watch_unsettled_cases))', legend: '{{severity}}' },
    ],
    link: runbook('ReconciliationAgeBurn'),
    width: 12,
  }),
  table({
    title: 'Usage since the close of $period',
    description:
      'All tenants: usage as it was closed and as the rollups have it now. A difference came late, and is billed in the next period.',
    unit: 'none',
    queries: [{ sql: QUERIES.closedAndNow }],
    columns: {
      'As closed': { unit: 'locale', decimals: 1 },
      'Rolled up now': { unit: 'locale', decimals: 1 },
      'Since the close': { unit: 'locale', decimals: 1 },
    },
    link: board('tenant', 'One tenant'),
    width: 12,
  }),
];

const closePanels = () => [
  bars({
    title: 'How late each step is',
    description: 'Steps of the newest ended period, in their order. 0: done, or not due.',
    unit: 's',
    queries: [{ promql: 'max by (step) (trueup_watch_period_overdue_seconds)', legend: '{{step}}' }],
    levels: { warn: 1, bad: 3_600 },
    link: runbook('PeriodStepOverdue'),
    width: 6,
    height: 7,
  }),
  bars({
    title: 'Where accounts stand',
    description: 'Accounts of the newest run. Open ones are not due yet; held and missing ones have a case.',
    unit: 'short',
    queries: [{ promql: 'max by (state) (trueup_watch_run_accounts)', legend: '{{state}}' }],
    link: runbook('InvoiceRunLateBurn'),
    width: 6,
    height: 7,
  }),
  bars({
    title: 'Holds in force',
    description: 'What somebody stopped, for one account or for all. Holds have a reason, an owner and an end.',
    unit: 'short',
    queries: [{ promql: 'max by (stops, scope) (trueup_watch_standing_holds)', legend: '{{stops}}, {{scope}}' }],
    levels: { warn: 1 },
    link: runbook('HoldForgotten'),
    width: 6,
    height: 7,
  }),
  stat({
    title: 'Clocks',
    description:
      'Business time, by which periods end and cases age, and when open hours were last sent to Stripe, by the clock of machines.',
    unit: 'dateTimeAsIso',
    queries: [
      { promql: '1000 * max(trueup_watch_business_timestamp_seconds)', legend: 'Business time' },
      { promql: '1000 * max(trueup_reconcile_pushed_timestamp_seconds)', legend: 'Open hours last sent' },
    ],
    levels: {},
    link: runbook('ClockSkew'),
    width: 6,
    height: 7,
  }),
];

const workPanels = () => [
  series({
    title: 'Activities that ended',
    description:
      'Steps of workflows per minute. Unavailable ones are tried again; rejected ones and bugs need somebody.',
    unit: 'cpm',
    draw: 'bars',
    queries: [{ promql: perMinute('trueup_reconcile_activities_total', 'outcome'), legend: '{{outcome}}' }],
    link: runbook('WorkflowStuck'),
    width: 12,
  }),
  bars({
    title: 'Duration of activities, 95 %',
    description: 'How long each activity takes, but for the slowest 5 % of its attempts in the chosen range.',
    unit: 's',
    queries: [
      {
        promql:
          'sort_desc(histogram_quantile(0.95, sum by (le, activity) (increase(trueup_reconcile_activity_seconds_bucket[$__range]))) > 0)',
        legend: '{{activity}}',
      },
    ],
    link: runbook('WorkflowStuck'),
    width: 12,
  }),
  series({
    title: 'Promised work',
    description: 'Webhooks to read, objects to fetch and approved repairs to apply that are not done.',
    unit: 'short',
    queries: [{ promql: 'max by (queue) (trueup_watch_outbox_messages)', legend: '{{queue}}' }],
    link: runbook('OutboxStuck'),
    width: 12,
  }),
  series({
    title: 'Workflows',
    description: 'Running workflows by kind, and those of the last week that failed and were not run again.',
    unit: 'short',
    queries: [
      { promql: 'max by (workflow) (trueup_watch_running_workflows)', legend: '{{workflow}} runs' },
      { promql: 'sum(max by (workflow) (trueup_watch_failed_workflows))', legend: 'failed' },
    ],
    link: runbook('WorkflowFailed'),
    width: 12,
  }),
];

const stripePanels = () => [
  series({
    title: 'Exchange with Stripe',
    description: 'Requests to Stripe by outcome, hour totals sent to its meters, and webhooks that came.',
    unit: 'cps',
    queries: [
      { promql: rate('trueup_reconcile_stripe_requests_total', 'outcome'), legend: 'requests {{outcome}}' },
      { promql: rate('trueup_reconcile_pushed_values_total'), legend: 'hours pushed' },
      { promql: rate('trueup_reconcile_webhooks_total', 'code_class'), legend: 'webhooks {{code_class}}' },
    ],
    link: runbook('StripeErrors'),
    width: 12,
  }),
  series({
    title: 'Time to answer of Stripe, 95 %',
    description:
      'By resource, as its path names it. A request waits 30 seconds at most before it counts as unreachable.',
    unit: 's',
    queries: [
      { promql: quantile(0.95, 'trueup_reconcile_stripe_request_seconds', '', ['resource']), legend: '{{resource}}' },
    ],
    link: runbook('StripeErrors'),
    width: 12,
  }),
];
