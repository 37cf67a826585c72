// The PromQL that boards repeat. Counters are read by their rate only, over a range that Grafana fits to the scrapes.

import { CURRENCY_EXPONENTS } from '../../domain/money.ts';

const RANGE = '[$__rate_interval]';

/** Increase per second, all processes together. */
export function rate(metric: string, by?: string): string {
  return `sum${by === undefined ? '' : ` by (${by})`} (rate(${metric}${RANGE}))`;
}

export function perMinute(metric: string, by?: string): string {
  return `60 * ${rate(metric, by)}`;
}

/** The time that a share of a histogram's observations stay below. */
export function quantile(share: number, metric: string, matchers = '', by: readonly string[] = []): string {
  const labels = ['le', ...by].join(', ');
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${metric}_bucket${matchers}${RANGE})))`;
}

/** Money in the unit that people speak of: a currency has none, two or three decimals. */
export function money(metric: string): string {
  const codesOf = (exponent: number) =>
    Object.entries(CURRENCY_EXPONENTS).flatMap(([code, its]) => (its === exponent ? [code] : []));
  return [0, 2, 3]
    .map((exponent) => {
      const amounts = `sum by (currency) (${metric}{currency=~"${codesOf(exponent).join('|')}"})`;
      return exponent === 0 ? amounts : `${amounts} / ${10 ** exponent}`;
    })
    .join(' or ');
}
