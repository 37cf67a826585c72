// In section 3: the accounts whose open breaks are worth most, whichever way they go. Pure.

import type { Currency } from '../../../domain/money.ts';
import type { Report, ReportBreak } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import { formatAmount, plural } from '../format.ts';
import { tableHtml, type Row } from '../table.ts';
import { sumDifferences } from '../totals.ts';

const TOP = 10;

export function differencesHtml(report: Report, currency: Currency): Html {
  const code = currency.toUpperCase();
  const open = report.breaks.filter((of) => of.status === 'open' && of.currency === currency);
  const accounts = [...Map.groupBy(open, ({ account }) => account)]
    .map(([account, breaks]) => {
      const { underMinor, overMinor } = sumDifferences(breaks, currency);
      return { account, breaks, netMinor: underMinor - overMinor, grossMinor: underMinor + overMinor };
    })
    .sort((a, b) =>
      a.grossMinor === b.grossMinor ? (a.account < b.account ? -1 : 1) : a.grossMinor < b.grossMinor ? 1 : -1,
    );
  if (accounts.length === 0) return html``;
  const states = new Map(report.accounts.map(({ account, state }) => [account, state]));
  const shown = accounts.slice(0, TOP);
  const rows = shown.map(({ account, breaks, netMinor, grossMinor }): Row => [
    html`<bdi class="account">${account}</bdi>`,
    states.get(account) ?? html`<span class="quiet">no account</span>`,
    formatAmount(netMinor, currency),
    formatAmount(grossMinor, currency),
    codesHtml(breaks),
  ]);
  const left = accounts.length - shown.length;
  return html`<div class="whole">
    <h3>Largest differences, ${code}</h3>
    ${tableHtml({
      label: `Largest differences, ${code}`,
      className: 'tight whole',
      columns: [
        { head: 'Account' },
        { head: 'State', kind: 'narrow' },
        { head: `Net, ${code}`, kind: 'number' },
        { head: `Gross, ${code}`, kind: 'number' },
        { head: 'Breaks' },
      ],
      groups: [{ rows }],
    })}
    <p class="remark">
      ${left === 0 ? '' : `${plural(left, 'account')} with smaller differences are not listed here. `}Hour by hour, with
      rejected and late events: trueup explain invoice.
    </p>
  </div> `;
}

function codesHtml(breaks: readonly ReportBreak[]): Html {
  const counts = [...Map.groupBy(breaks, ({ code }) => code)].map(([code, of]) => ({ code, count: of.length }));
  return html`${counts.map(
    ({ code, count }) => html`<span class="code">${code}</span>${count === 1 ? '' : ` × ${count}`} `,
  )}`;
}
