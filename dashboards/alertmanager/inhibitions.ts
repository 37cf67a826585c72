// What keeps quiet because something else has been told already. A consequence is held back by its cause as the alerts'
// own rows name it, and by what that cause left behind in the windows (OutageSettling).

import { POSTED_ALERTS } from '../../domain/contracts/alert-labels.ts';
import type { Alert, Cause } from '../alerts/alert.ts';
import { ALERTS } from '../alerts/list.ts';

export type Inhibition = {
  readonly source_matchers: readonly string[];
  readonly target_matchers: readonly string[];
  readonly equal: readonly string[];
};

const equal = ['env'] as const;
const OUTAGE_IMPACTS = 'usage_pipeline|api';
const WIDESPREAD = POSTED_ALERTS.anomaliesWidespread;

/** Nothing said of one tenant can be trusted while usage doesn't flow or the API fails. */
const OUTAGE_HIDES_TENANTS: readonly Inhibition[] = [
  ['scope="platform"', 'severity="page"', `impact=~"${OUTAGE_IMPACTS}"`],
  ['alertname="OutageSettling"', `harms=~"${OUTAGE_IMPACTS}"`],
].map((source_matchers) => ({ source_matchers, target_matchers: ['scope="tenant"'], equal }));

/** Many deviating tenants are a page of their own only where no outage explains them. */
const OUTAGE_EXPLAINS_DEVIATIONS: readonly Inhibition[] = [
  ['scope="platform"', 'severity="page"', `impact=~"${OUTAGE_IMPACTS}"`, `alertname!="${WIDESPREAD}"`],
  ['alertname="OutageSettling"', `harms=~"${OUTAGE_IMPACTS}"`],
].map((source_matchers) => ({ source_matchers, target_matchers: [`alertname="${WIDESPREAD}"`], equal }));

const PAGE_HIDES_TICKET: Inhibition = {
  source_matchers: ['severity="page"'],
  target_matchers: ['severity="ticket"'],
  equal: ['alertname', 'service', 'tenant_id', 'env'],
};

const EXPECTED_HIDES_ANOMALY: Inhibition = {
  source_matchers: [`alertname="${POSTED_ALERTS.tenantExpected}"`],
  target_matchers: [`alertname="${POSTED_ALERTS.tenantAnomaly}"`],
  equal: ['tenant_id', 'env'],
};

/** The alert that tells a cause, and the one that says it is recent. */
function sourcesOf(cause: Cause): readonly (readonly string[])[] {
  const [alert = cause, what] = cause.split(':');
  const narrowed = what === undefined ? [] : [`${alert === 'DependencyDown' ? 'dependency' : 'process'}="${what}"`];
  // A ticket of the same name foretells; only its page explains. Servers explain whatever they are told as.
  const certain = what === undefined ? ['severity="page"'] : [];
  return [
    [`alertname="${alert}"`, ...narrowed, ...certain],
    ['alertname="OutageSettling"', `outage="${alert}"`, ...narrowed],
  ];
}

function causesHideConsequences(alerts: readonly Alert[]): readonly Inhibition[] {
  const causes = [...new Set(alerts.flatMap(({ explainedBy }) => explainedBy))];
  return causes.flatMap((cause) => {
    const names = new Set(alerts.filter(({ explainedBy }) => explainedBy.includes(cause)).map(({ name }) => name));
    const target_matchers = [`alertname=~"${[...names].join('|')}"`];
    return sourcesOf(cause).map((source_matchers) => ({ source_matchers, target_matchers, equal }));
  });
}

export const INHIBITIONS: readonly Inhibition[] = [
  ...OUTAGE_HIDES_TENANTS,
  ...OUTAGE_EXPLAINS_DEVIATIONS,
  PAGE_HIDES_TICKET,
  EXPECTED_HIDES_ANOMALY,
  ...causesHideConsequences(ALERTS),
];
