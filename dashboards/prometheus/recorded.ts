// Recording rules: what boards and alerts ask again and again, and the objectives' error ratios by window. Named
// level:metric:operation, as Prometheus advises.

import { WINDOWS, type Window } from '../alerts/burn.ts';
import type { Pace } from '../pace.ts';
import { SLO_LIST, type Slo } from '../slo/list.ts';

export type RecordingRule = {
  readonly record: string;
  readonly expr: string;
  readonly labels?: { readonly slo: string };
};

/** Windows that move slowly are computed seldom. */
export const isLong = (window: Window) => window === '6h' || window === '1d' || window === '3d';

/** Share of bad ones within a window. None of the good ones exists yet: all are bad. None at all: not known. */
function errorRatio({ name, good, all }: Slo, window: Window, { duration }: Pace): RecordingRule {
  const rate = (selector: string) => `sum(rate(${selector}[${duration(window)}]))`;
  const expr = `1 - (${rate(good)} or vector(0)) / ${rate(all)}`;
  return { record: `slo:sli_error:ratio_rate${window}`, expr, labels: { slo: name } };
}

export function errorRatios(pace: Pace, wanted: (window: Window) => boolean): readonly RecordingRule[] {
  return WINDOWS.filter(wanted).flatMap((window) => SLO_LIST.map((slo) => errorRatio(slo, window, pace)));
}

/** What was promised, and what is left of the 30 days' error budget: 1 is all, below 0 is more than there was. */
export function budgets({ duration }: Pace): readonly RecordingRule[] {
  return SLO_LIST.flatMap(({ name, objective }) => {
    const spent = `avg_over_time(slo:sli_error:ratio_rate5m{slo="${name}"}[${duration('30d')}])`;
    const budget = Number((1 - objective).toPrecision(6));
    return [
      { record: 'slo:objective:ratio', expr: `vector(${objective})`, labels: { slo: name } },
      { record: 'slo:error_budget_left:ratio', expr: `1 - ${spent} / ${budget}`, labels: { slo: name } },
    ];
  });
}

/** Rate, share of errors and quantiles, by route of the HTTP door and by resource of Stripe's API. */
export function requestRates({ duration }: Pace): readonly RecordingRule[] {
  return [
    ...requests('route', 'trueup_http_requests', '{code_class="5xx"}'),
    ...quantiles('route', 'trueup_http_request_seconds'),
    ...requests('resource', 'trueup_reconcile_stripe_requests', '{outcome=~"rate_limited|server_error|unreachable"}'),
    ...quantiles('resource', 'trueup_reconcile_stripe_request_seconds'),
  ];

  function requests(by: string, metric: string, failed: string): readonly RecordingRule[] {
    const rate = (matchers: string) => `sum by (${by}) (rate(${metric}_total${matchers}[${duration('5m')}]))`;
    return [
      { record: `${by}:${metric}:rate5m`, expr: rate('') },
      { record: `${by}:${metric}_failed:ratio_rate5m`, expr: `(${rate(failed)} or 0 * ${rate('')}) / ${rate('')}` },
    ];
  }

  function quantiles(by: string, metric: string): readonly RecordingRule[] {
    return [0.5, 0.95, 0.99].map((quantile) => ({
      record: `${by}:${metric}:p${quantile * 100}_5m`,
      expr: `histogram_quantile(${quantile}, sum by (${by}, le) (rate(${metric}_bucket[${duration('5m')}])))`,
    }));
  }
}
