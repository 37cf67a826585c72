// Section 6: the last periods beside this one. Pure.

import type { Currency } from '../../../domain/money.ts';
import type { TrendPoint } from '../../report/trend.ts';
import { html, type Html } from '../escape.ts';
import { formatAmount, formatPeriod } from '../format.ts';
import { tableHtml, type Row } from '../table.ts';

export function trendSection(trend: readonly TrendPoint[]): Html {
  const currencies = [...new Set(trend.map(({ currency }) => currency))].sort();
  return html`<section id="trend">
    <h2>6 Trend</h2>
    <p class="lead">
      Net adds under- and over-billed up, gross adds their magnitudes: differences that offset each other show in gross
      only.
    </p>
    ${currencies.map((currency) =>
      trendHtml(
        trend.filter((point) => point.currency === currency),
        currency,
      ),
    )}
  </section> `;
}

function trendHtml(points: readonly TrendPoint[], currency: Currency): Html {
  const code = currency.toUpperCase();
  return tableHtml({
    label: `Last periods, ${code}`,
    className: 'tight',
    columns: [
      { head: 'Period' },
      { head: 'Result', kind: 'narrow' },
      { head: `Rated, ${code}`, kind: 'number' },
      { head: `Invoiced, ${code}`, kind: 'number' },
      { head: 'Open breaks', kind: 'number' },
      { head: `Net, ${code}`, kind: 'number' },
      { head: `Gross, ${code}`, kind: 'number' },
    ],
    groups: [{ rows: points.map(trendRow) }],
  });
}

function trendRow(point: TrendPoint): Row {
  const amount = (minor: string) => formatAmount(BigInt(minor), point.currency);
  return [
    formatPeriod(point.period),
    point.result === 'clean' ? 'ties' : 'does not tie',
    amount(point.ratedMinor),
    amount(point.invoicedMinor),
    `${point.openBreaks}`,
    amount(point.netMinor),
    amount(point.grossMinor),
  ];
}
