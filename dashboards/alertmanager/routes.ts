// Who is told, grouped how, how often. Every alert ends at a receiver: what no route knows becomes a ticket.

import { POSTED_ALERTS } from '../../domain/contracts/alert-labels.ts';
import type { Duration, Pace } from '../pace.ts';

/** Each takes webhooks at the address its variable names; `nobody` takes alerts that only hold others back. */
export const RECEIVERS = {
  pager: 'TRUEUP_ALERT_PAGER_URL',
  queue: 'TRUEUP_ALERT_QUEUE_URL',
  support: 'TRUEUP_ALERT_SUPPORT_URL',
  security: 'TRUEUP_ALERT_SECURITY_URL',
  'billing-on-call': 'TRUEUP_ALERT_BILLING_URL',
  digest: 'TRUEUP_ALERT_DIGEST_URL',
  'dead-man': 'TRUEUP_ALERT_DEADMAN_URL',
  nobody: null,
} as const;

export type Receiver = keyof typeof RECEIVERS;

export type Route = {
  readonly receiver: Receiver;
  /** All must hold. */
  readonly matchers?: readonly string[];
  readonly groupBy: readonly string[];
  /** How long a group's first alert waits for others. */
  readonly wait: Duration;
  /** How long until new alerts of a group are told. */
  readonly interval: Duration;
  /** How long until the same is told again. */
  readonly repeat: Duration;
  /** Later routes are asked too. */
  readonly goesOn?: boolean;
  readonly workingHoursOnly?: boolean;
};

export const OUT_OF_HOURS = 'out-of-hours';

const BY_ALERT = ['alertname', 'service', 'env'] as const;
const urgent = { groupBy: BY_ALERT, wait: '30s', interval: '5m', repeat: '4h' } as const;
const unhurried = { groupBy: BY_ALERT, wait: '30s', interval: '5m', repeat: '24h' } as const;

export const FALLBACK: Route = { receiver: 'queue', ...unhurried };

/** Asked in this order; the first that matches takes the alert. */
export const ROUTES: readonly Route[] = [
  {
    receiver: 'dead-man',
    matchers: ['alertname="Watchdog"'],
    groupBy: ['env'],
    wait: '0s',
    interval: '1m',
    // Below the interval, else every second one is held to be a repetition.
    repeat: '50s',
  },
  {
    receiver: 'nobody',
    matchers: [`alertname=~"OutageSettling|${POSTED_ALERTS.tenantExpected}"`],
    groupBy: ['env'],
    wait: '30s',
    interval: '1h',
    repeat: '24h',
  },
  { receiver: 'digest', matchers: ['severity="info"'], groupBy: ['env'], wait: '1h', interval: '24h', repeat: '24h' },
  { receiver: 'pager', matchers: ['scope="platform"', 'severity="page"'], ...urgent },
  {
    receiver: 'queue',
    matchers: ['scope="platform"', 'severity="ticket"'],
    ...unhurried,
    workingHoursOnly: true,
  },
  {
    receiver: 'security',
    matchers: ['scope="tenant"', 'severity="page"', 'team="security"'],
    ...urgent,
    goesOn: true,
  },
  {
    receiver: 'billing-on-call',
    matchers: ['scope="tenant"', 'severity="page"', 'team="billing"'],
    ...urgent,
    goesOn: true,
  },
  {
    receiver: 'support',
    matchers: ['scope="tenant"'],
    // One message for all meters of a tenant. What is about many tenants has no tenant_id and is told by name.
    groupBy: ['tenant_id', 'env'],
    wait: '2m',
    interval: '15m',
    repeat: '24h',
  },
];

export function renderRoute(route: Route, { duration }: Pace): Readonly<Record<string, unknown>> {
  const { receiver, matchers, groupBy, wait, interval, repeat, goesOn, workingHoursOnly } = route;
  return {
    receiver,
    ...(matchers === undefined ? {} : { matchers }),
    group_by: groupBy,
    group_wait: duration(wait),
    group_interval: duration(interval),
    repeat_interval: duration(repeat),
    ...(goesOn === true ? { continue: true } : {}),
    ...(workingHoursOnly === true ? { mute_time_intervals: [OUT_OF_HOURS] } : {}),
  };
}
