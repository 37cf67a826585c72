// Burn alerts: an objective's error budget of 30 days is spent too fast. Two windows each: the long one says that it
// matters, the short one that it still goes on. Source: The Site Reliability Workbook, "Alerting on SLOs".

import type { Duration } from '../pace.ts';
import { SLO_LIST, type Slo } from '../slo/list.ts';
import type { Alert } from './alert.ts';

export type Window = '5m' | '30m' | '1h' | '2h' | '6h' | '1d' | '3d';

type Burn = { readonly factor: number; readonly long: Window; readonly short: Window };

/** 2 % of the budget in an hour, or 5 % in six. */
const FAST: readonly Burn[] = [
  { factor: 14.4, long: '1h', short: '5m' },
  { factor: 6, long: '6h', short: '30m' },
];
/** 10 % of the budget in a day, or 10 % in three. */
const SLOW: readonly Burn[] = [
  { factor: 3, long: '1d', short: '2h' },
  { factor: 1, long: '3d', short: '6h' },
];

export const WINDOWS: readonly Window[] = ['5m', '30m', '1h', '2h', '6h', '1d', '3d'];

function burnAlerts(slo: Slo): readonly Alert[] {
  const { urgent, ...said } = slo.alert;
  const budget = ((1 - slo.objective) * 100).toFixed(1);
  const fast: Alert = {
    ...said,
    severity: urgent,
    // Long enough for an outage's own alert to be first.
    for: '2m',
    when: ({ duration }) => FAST.map((burn) => burns(slo, burn, duration)).join(' or '),
    means: `${said.means} At this rate the error budget (${budget} % of 30 days) is gone within days: {{ $value | humanizePercentage }} are bad.`,
  };
  const slow: Alert = {
    ...said,
    severity: 'ticket',
    for: '15m',
    firesWithin: '1d',
    when: ({ duration }) => SLOW.map((burn) => burns(slo, burn, duration)).join(' or '),
    means: `${said.means} The error budget (${budget} % of 30 days) will not last: {{ $value | humanizePercentage }} are bad.`,
  };
  // A fast burn that is a ticket is told sooner, but not twice.
  return urgent === 'page'
    ? [fast, slow]
    : [
        {
          ...slow,
          for: '2m',
          firesWithin: said.firesWithin,
          when: (pace) => `${fast.when(pace)} or ${slow.when(pace)}`,
        },
      ];
}

function burns(
  { name, objective, good, all, badAtLeast }: Slo,
  burn: Burn,
  duration: (of: Duration) => string,
): string {
  const limit = Number((burn.factor * (1 - objective)).toPrecision(6));
  const rate = (window: Window) => `slo:sli_error:ratio_rate${window}{slo="${name}"}`;
  const increase = (selector: string) => `sum(increase(${selector}[${duration(burn.long)}]))`;
  // No good one has ever been: all of them are bad.
  const bad = `${increase(all)} - (${increase(good)} or vector(0))`;
  const guard = badAtLeast === undefined ? '' : ` and on () (${bad} >= ${badAtLeast})`;
  return `(${rate(burn.long)} > ${limit} and ${rate(burn.short)} > ${limit}${guard})`;
}

export const BURN_ALERTS: readonly Alert[] = SLO_LIST.flatMap(burnAlerts);
