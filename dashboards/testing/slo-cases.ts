// Every objective by the same stories: everything bad, little bad for long, and bad that is over or too small to matter.

import { SLOS } from '../../domain/contracts/metrics/watch.ts';
import { SLO_LIST, type Slo } from '../slo/list.ts';
import type { AlertCase } from './alert-cases.ts';
import type { World } from './healthy.ts';
import { counter, gauge, missing, type Story } from './series.ts';

type Series = { readonly good: readonly string[]; readonly bad: readonly string[] };

function seriesOf(name: Slo['name'], outcome: 'bad' | 'unknown'): Series {
  if (name === 'api-availability') {
    const answers = (of: string) => `trueup_http_requests_total{route="events",code_class="${of}"}`;
    return { good: [answers('2xx')], bad: [answers('5xx')] };
  }
  if (name === 'api-latency') {
    const bucket = (le: string) => `trueup_http_request_seconds_bucket{route="events",le="${le}"}`;
    return { good: [bucket('0.3')], bad: ['trueup_http_request_seconds_count{route="events"}', bucket('+Inf')] };
  }
  const looks = (of: string) => `trueup_watch_slo_looks_total{slo="${name}",outcome="${of}"}`;
  return { good: [looks('good')], bad: [looks(outcome)] };
}

/** Of a hundred per scrape, so many are bad from the change on. A latency's count holds the good ones too. */
function burning(slo: Slo, badOfHundred: number, outcome: 'bad' | 'unknown' = 'bad'): World {
  const { good, bad } = seriesOf(slo.name, outcome);
  const all = slo.name === 'api-latency';
  const stories: [string, Story][] = [
    ...good.map((one): [string, Story] => [one, counter(100, 100 - badOfHundred)]),
    ...bad.map((one): [string, Story] => [one, all ? counter(100, 100) : counter(0, badOfHundred)]),
  ];
  return Object.fromEntries(stories);
}

function casesOf(slo: Slo): readonly AlertCase[] {
  const { name, alert, objective } = slo;
  const named = (severity: string) => `${alert.name}{slo="${name}",severity="${severity}"}`;
  const budgetOfHundred = (1 - objective) * 100;
  return [
    {
      about: `${alert.name}/${alert.urgent}`,
      title: 'nothing is good any more, after a good hour',
      changes: burning(slo, 100),
      healthyFor: '1h',
      lasts: alert.firesWithin,
      quietUntil: '90s',
      fires: [named(alert.urgent)],
    },
    {
      about: `${alert.name}/ticket`,
      title: 'four times what the budget allows, for hours',
      changes: burning(slo, budgetOfHundred * 4),
      every: '4m',
      healthyFor: '1h',
      lasts: '20h',
      fires: [named('ticket')],
    },
    {
      about: `${alert.name}/ticket`,
      title: 'half of what the budget allows, for hours',
      changes: burning(slo, budgetOfHundred / 2),
      every: '4m',
      healthyFor: '1h',
      lasts: '20h',
      fires: [],
    },
    {
      about: `${alert.name}/${alert.urgent}`,
      title: 'one bad scrape within an hour',
      changes: burning(slo, 0.1),
      healthyFor: '1h',
      lasts: '10m',
      fires: [],
    },
  ];
}

export const SLO_CASES: readonly AlertCase[] = [
  ...SLO_LIST.flatMap(casesOf),
  ...SLO_LIST.filter(({ name }) => (SLOS as readonly string[]).includes(name)).map((slo): AlertCase => ({
    about: `${slo.alert.name}/${slo.alert.urgent}`,
    title: 'what can not be read counts as bad',
    changes: burning(slo, 100, 'unknown'),
    healthyFor: '1h',
    lasts: slo.alert.firesWithin,
    fires: [`${slo.alert.name}{slo="${slo.name}",severity="${slo.alert.urgent}"}`],
  })),
  {
    about: 'ApiAvailabilityBurn/page',
    title: 'three of four requests of a quiet night fail',
    changes: {
      'trueup_http_requests_total{route="events",code_class="2xx"}': gauge(0, 1),
      'trueup_http_requests_total{route="events",code_class="5xx"}': gauge(0, 3),
    },
    lasts: '20m',
    fires: [],
  },
  {
    about: 'ApiAvailabilityBurn/page',
    title: 'a door that has never answered well since it began',
    changes: {
      'trueup_http_requests_total{route="events",code_class="2xx"}': missing(),
      'trueup_http_requests_total{route="events",code_class="5xx"}': counter(0, 10),
    },
    lasts: '4m',
    fires: ['ApiAvailabilityBurn{slo="api-availability",severity="page"}'],
  },
];
