import type { AlertCase } from './alert-cases.ts';
import { ageing, blip, counter, counterOfFew, gauge } from './series.ts';

const stripe = (outcome: string) => `trueup_reconcile_stripe_requests_total{resource="invoices",outcome="${outcome}"}`;
const never = [] as const;

export const BILLING_CASES: readonly AlertCase[] = [
  {
    about: 'PeriodStepOverdue/ticket',
    title: 'the close is two hours late in business time',
    changes: { 'trueup_watch_period_overdue_seconds{step="close"}': gauge(0, 7_200) },
    lasts: '6m',
    quietUntil: '4m',
    fires: ['PeriodStepOverdue{step="close",severity="ticket"}'],
  },
  {
    about: 'PeriodStepOverdue/ticket',
    title: 'the report is written half an hour late',
    changes: { 'trueup_watch_period_overdue_seconds{step="report"}': gauge(0, 1_800) },
    lasts: '10m',
    fires: never,
  },
  {
    about: 'CriticalBreakOpen/ticket',
    title: 'two critical cases of one code',
    changes: { 'trueup_watch_unsettled_cases{code="USAGE_LATE",severity="critical"}': gauge(0, 2) },
    lasts: '11m',
    quietUntil: '9m',
    fires: ['CriticalBreakOpen{code="USAGE_LATE",severity="ticket"}'],
  },
  {
    about: 'CriticalBreakOpen/ticket',
    title: 'a thousand cases of low severity',
    changes: { 'trueup_watch_unsettled_cases{code="USAGE_LATE",severity="low"}': gauge(0, 1_000) },
    lasts: '20m',
    fires: never,
  },
  {
    about: 'WorkflowStuck/ticket',
    title: 'an activity of a close fails again and again',
    changes: {
      'trueup_watch_workflow_stuck_seconds{workflow="close"}': ageing(),
    },
    lasts: '13m',
    quietUntil: '10m',
    fires: ['WorkflowStuck{workflow="close",severity="ticket"}'],
  },
  {
    about: 'WorkflowStuck/ticket',
    title: 'an activity needs nine minutes for a large batch',
    changes: { 'trueup_watch_workflow_stuck_seconds{workflow="batch"}': blip(0, { value: 540, lasts: '5m' }) },
    lasts: '15m',
    fires: never,
  },
  {
    about: 'WorkflowFailed/page',
    title: 'a close ended in failure',
    changes: { 'trueup_watch_failed_workflows{workflow="close"}': gauge(0, 1) },
    lasts: '3m',
    fires: ['WorkflowFailed{workflow="close",severity="page"}'],
  },
  {
    about: 'WorkflowFailed/page',
    title: 'it was run again within a minute',
    changes: { 'trueup_watch_failed_workflows{workflow="batch"}': blip(0, { value: 1, lasts: '1m' }) },
    lasts: '10m',
    fires: never,
  },
  {
    about: 'WorkflowFailed/ticket',
    title: 'an hourly push ended in failure',
    changes: { 'trueup_watch_failed_workflows{workflow="push"}': gauge(0, 1) },
    lasts: '16m',
    fires: ['WorkflowFailed{workflow="push",severity="ticket"}'],
  },
  {
    about: 'WorkflowFailed/ticket',
    title: 'the next push went well',
    changes: { 'trueup_watch_failed_workflows{workflow="push"}': blip(0, { value: 1, lasts: '10m' }) },
    lasts: '20m',
    fires: never,
  },
  {
    about: 'OutboxStuck/ticket',
    title: 'nobody reads the webhooks',
    changes: {
      'trueup_watch_outbox_oldest_seconds{queue="doorbells"}': ageing(),
    },
    lasts: '13m',
    quietUntil: '10m',
    fires: ['OutboxStuck{queue="doorbells",severity="ticket"}'],
  },
  {
    about: 'OutboxStuck/ticket',
    title: 'ten thousand webhooks on the first of the month, none of them old',
    changes: {
      'trueup_watch_outbox_messages{queue="doorbells"}': gauge(0, 10_000),
      'trueup_watch_outbox_oldest_seconds{queue="doorbells"}': gauge(0, 120),
    },
    lasts: '20m',
    fires: never,
  },
  {
    about: 'HoldForgotten/ticket',
    title: 'all pushes have been held for a day',
    changes: { 'trueup_watch_standing_holds{stops="pushes",scope="all"}': gauge(0, 1) },
    every: '4m',
    healthyFor: '20m',
    lasts: '25h',
    quietUntil: '23h',
    fires: ['HoldForgotten{stops="pushes",severity="ticket"}'],
  },
  {
    about: 'HoldForgotten/ticket',
    title: 'a hold of twenty hours, and one of a single account that stays',
    changes: {
      'trueup_watch_standing_holds{stops="pushes",scope="all"}': blip(0, { value: 1, lasts: '20h' }),
      'trueup_watch_standing_holds{stops="pushes",scope="account"}': gauge(0, 1),
    },
    every: '4m',
    healthyFor: '20m',
    lasts: '26h',
    fires: never,
  },
  {
    about: 'HoldExpiresSoon/ticket',
    title: 'a hold ends in ten hours of business time',
    changes: { trueup_watch_hold_expires_seconds: gauge(90_000, 36_000) },
    lasts: '6m',
    fires: ['HoldExpiresSoon{severity="ticket"}'],
  },
  {
    about: 'HoldExpiresSoon/ticket',
    title: 'a hold ends in two days',
    changes: { trueup_watch_hold_expires_seconds: gauge(172_800) },
    lasts: '10m',
    fires: never,
  },
  {
    about: 'StripeErrors/ticket',
    title: 'a third of the requests fails',
    changes: { [stripe('server_error')]: counter(0, 5) },
    lasts: '8m',
    fires: ['StripeErrors{severity="ticket"}'],
  },
  {
    about: 'StripeErrors/ticket',
    title: 'Stripe refuses what we ask: those are cases',
    changes: { [stripe('client_error')]: counter(0, 5) },
    lasts: '20m',
    fires: never,
  },
  {
    about: 'StripeErrors/ticket',
    title: 'five requests of a quiet night fail',
    changes: {
      [stripe('ok')]: gauge(100),
      [stripe('unreachable')]: counterOfFew(5),
    },
    lasts: '20m',
    fires: never,
  },
];
