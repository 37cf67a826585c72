// Section 5: what counts as small, and what was accepted without a person under which cap. Pure.

import type { Currency } from '../../../domain/money.ts';
import { computeMateriality, TOLERANCE } from '../../compare/tolerance.ts';
import type { Report, ReportBreak } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import { formatAmount, formatAmountIn, formatBasisPoints, plural } from '../format.ts';
import { tableHtml } from '../table.ts';
import { currenciesOf, sumDifferences } from '../totals.ts';

export function materialitySection(report: Report): Html {
  return html`<section id="materiality">
    <h2>5 Materiality and what was accepted by rule</h2>
    ${currenciesOf(report).map((currency) => currencyHtml(report, currency))}
  </section> `;
}

function currencyHtml(report: Report, currency: Currency): Html {
  const code = currency.toUpperCase();
  const share = formatBasisPoints(TOLERANCE.materialBasisPoints);
  const rounding = report.breaks.filter((of) => of.currency === currency && of.code === 'ROUNDING');
  const accepted = rounding.filter(({ status }) => status === 'auto-accepted');
  const beyond = new Set(rounding.filter(({ status }) => status === 'open').map(({ account }) => account)).size;
  const cap = formatAmountIn(TOLERANCE.roundingCapMinor, currency);
  const over = beyond === 0 ? '' : ` ${plural(beyond, 'account')} went beyond it, and all of their rounding is open.`;
  return html`<p class="lead">
      A difference is material from ${formatAmountIn(computeMateriality(currency, 0n), currency)}, or ${share} of the
      account's invoice where that is more. Rounding is accepted by rule up to ${cap} an account and period, both
      directions counted; nothing else ever is.${over}
    </p>
    ${accepted.length === 0 ? html`<p>Nothing was accepted by rule in ${code}.</p>` : acceptedHtml(accepted, currency)}`;
}

function acceptedHtml(accepted: readonly ReportBreak[], currency: Currency): Html {
  const code = currency.toUpperCase();
  const byAccount = [...Map.groupBy(accepted, ({ account }) => account)].sort(([a], [b]) => (a < b ? -1 : 1));
  const amounts = (of: readonly ReportBreak[]) => {
    const { count, underMinor, overMinor } = sumDifferences(of, currency);
    const [net, gross] = [underMinor - overMinor, underMinor + overMinor];
    return [`${count}`, formatAmount(net, currency), formatAmount(gross, currency)];
  };
  return tableHtml({
    label: `Rounding accepted by rule, ${code}`,
    className: 'tight',
    columns: [
      { head: 'Account' },
      { head: 'Roundings accepted', kind: 'number' },
      { head: `Net, ${code}`, kind: 'number' },
      { head: `Gross, ${code}`, kind: 'number' },
      { head: `Cap, ${code}`, kind: 'number' },
    ],
    groups: [
      {
        rows: byAccount.map(([account, of]) => [
          html`<bdi class="account">${account}</bdi>`,
          ...amounts(of),
          formatAmount(TOLERANCE.roundingCapMinor, currency),
        ]),
      },
    ],
    foot: [plural(byAccount.length, 'account'), ...amounts(accepted), ''],
  });
}
