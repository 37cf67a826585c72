// What people read of episodes, and the labels by which it finds them. Pure.

import {
  POSTED_ALERTS,
  type AlertImpact,
  type AlertScope,
  type AlertSeverity,
  type AlertTeam,
} from '../domain/contracts/alert-labels.ts';
import { formatMoney } from '../domain/money.ts';
import type { Episode } from './episode.ts';
import type { Widespread } from './fleet-control.ts';
import type { Hold } from './tenant-alerts.ts';

/** As Alertmanager takes it; when it ends is the poster's business. */
export type PostedAlert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

export type AlertContext = {
  /** As on the alerts of Prometheus; keeps environments apart. */
  readonly env: string;
  /** Where runbooks are read; ends with a slash. */
  readonly runbooks: string;
  /** Where boards are seen; ends without a slash. */
  readonly boards: string;
};

const TOP = 10;

type Whom = {
  readonly alertname: (typeof POSTED_ALERTS)[keyof typeof POSTED_ALERTS];
  readonly scope: AlertScope;
  readonly severity: AlertSeverity;
  readonly team: AlertTeam;
  readonly impact: AlertImpact;
};

const toLabels = (whom: Whom, { env }: AlertContext) => ({ ...whom, env, service: 'anomaly' });
const aboutMany = { scope: 'tenant', severity: 'ticket', team: 'support', impact: 'billing' } as const;

export function describeEpisode(episode: Episode, context: AlertContext): PostedAlert {
  const { tenant, meter, direction, urgency, likelyCause, timesExpected } = episode;
  const team = urgency === 'ticket' ? 'support' : likelyCause === 'attack' ? 'security' : 'billing';
  const whom = {
    alertname: POSTED_ALERTS.tenantAnomaly,
    scope: 'tenant',
    severity: urgency,
    team,
    impact: 'billing',
  } as const;
  return {
    labels: {
      ...toLabels(whom, context),
      tenant_id: tenant.id,
      tier: tenant.isLarge ? 'large' : 'other',
      meter,
      direction,
      episode: episode.id,
    },
    annotations: {
      summary: `${tenant.name} (${tenant.id}): ${timesExpected.toFixed(1)} times the expected ${meter}, ${extra(episode)}`,
      description: explain(episode),
      runbook_url: `${context.runbooks}TenantAnomaly.md`,
      dashboard_url: `${context.boards}/d/trueup-tenant?var-tenant=${encodeURIComponent(tenant.id)}&from=${episode.firstSeenMs}&to=now`,
    },
  };
}

function explain(episode: Episode): string {
  const { tenant, money, contributors, expected, actual, likelyCause, confidence } = episode;
  const amount = (minor: bigint) => `${formatMoney(minor, money.currency)} ${money.currency.toUpperCase()}`;
  return [
    `Plan ${tenant.plan}, owner ${tenant.owner}.`,
    `From ${toUtc(episode.firstSeenMs)} to ${toUtc(episode.lastSeenMs)} UTC: ${actual}, expected ${expected.low} to ${expected.high} (p ${episode.pValue.toExponential(0)}).`,
    `Invoice as it goes on: ${amount(money.projectedInvoiceMinor)}; last one: ${amount(money.lastInvoiceMinor)}.`,
    contributors.length === 0
      ? ''
      : `Mostly ${contributors.map(({ what, share }) => `${what} (${Math.round(share * 100)} %)`).join(', ')}.`,
    `Looks like ${likelyCause}, ${confidence} confidence. Episode ${episode.id}.`,
  ]
    .filter((line) => line !== '')
    .join('\n');
}

/** Tenants beyond what support can look into one by one within the hour. */
export function describeRest(rest: readonly Episode[], context: AlertContext): PostedAlert {
  const tenants = new Set(rest.map(({ tenant }) => tenant.id)).size;
  return {
    labels: toLabels({ ...aboutMany, alertname: POSTED_ALERTS.moreTenantAnomalies }, context),
    annotations: {
      summary: `${tenants} more tenants deviate than were told of one by one this hour`,
      description: listTop(rest),
      runbook_url: `${context.runbooks}TenantAnomaly.md`,
    },
  };
}

export function describeWidespread(found: Widespread, context: AlertContext): PostedAlert {
  const { tenants, largeTenants, direction } = found;
  const whom = {
    alertname: POSTED_ALERTS.anomaliesWidespread,
    scope: 'platform',
    severity: 'page',
    team: 'platform',
    // Nothing said of a single tenant can be trusted meanwhile.
    impact: 'usage_pipeline',
  } as const;
  return {
    labels: { ...toLabels(whom, context), direction },
    annotations: {
      summary: `${tenants} tenants use ${direction} than expected at once, ${largeTenants} of them large`,
      description:
        'So many have one cause, and it is ours. Their own alerts are held back and told in one summary afterwards.',
      runbook_url: `${context.runbooks}AnomaliesWidespread.md`,
    },
  };
}

/** What an outage, or deviations everywhere, left behind. */
export function describeSummary(hold: Hold, stillOpen: ReadonlySet<string>, context: AlertContext): PostedAlert {
  const open = hold.affected.filter(({ tenant }) => stillOpen.has(tenant.id));
  const what = hold.why === 'outage' ? 'an outage' : 'deviations everywhere';
  return {
    // When it began tells one summary from the next.
    labels: {
      ...toLabels({ ...aboutMany, alertname: POSTED_ALERTS.tenantsAfterOutage }, context),
      since: toUtc(hold.sinceMs),
    },
    annotations: {
      summary: `${hold.affected.length} tenants deviated during ${what}, ${open.length} still do`,
      description: open.length === 0 ? `None is left. The largest were:\n${listTop(hold.affected)}` : listTop(open),
      runbook_url: `${context.runbooks}TenantAnomaly.md`,
    },
  };
}

function listTop(episodes: readonly Episode[]): string {
  const lines = episodes
    .slice(0, TOP)
    .map((episode) => `${episode.tenant.name} (${episode.tenant.id}): ${extra(episode)}`);
  const more = episodes.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

function extra({ money: { projectedExtraMinor: minor, currency } }: Episode): string {
  const amount = `${formatMoney(minor < 0n ? -minor : minor, currency)} ${currency.toUpperCase()}`;
  return `${amount} ${minor < 0n ? 'less' : 'more'} by the end of the period`;
}

function toUtc(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
}
