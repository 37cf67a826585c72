// Section 4: how long what is open has been there, who has it and until when. Pure.

import { toIso } from '../../../domain/period.ts';
import type { Currency } from '../../../domain/money.ts';
import { AGE_BUCKETS } from '../../report/ageing.ts';
import { toAgedBreaks, type AgedBreak, type ReportBeside } from '../../report/beside.ts';
import type { Report } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import { formatAmount, formatDay, meterLabel } from '../format.ts';
import { tableHtml, type Row } from '../table.ts';
import { currenciesOf, sumDifferences } from '../totals.ts';

export function ageingSection(report: Report, beside: ReportBeside): Html {
  const open = toAgedBreaks(report, beside).filter(({ status }) => status === 'open');
  const currencies = currenciesOf(report).filter((currency) => open.some((of) => of.currency === currency));
  const body = currencies.map((currency) => {
    const own = open.filter((of) => of.currency === currency);
    const code = currency.toUpperCase();
    return html`<h3>Open breaks by age, ${code}</h3>
      ${bucketsHtml(own, currency)}
      <h3>Open breaks, owner and due date, ${code}</h3>
      ${ownersHtml(own, currency)}`;
  });
  return html`<section id="ageing">
    <h2>4 Ageing</h2>
    <p class="lead">
      Age counts in business time from when a difference could first be seen. Owner, state and due date are those of its
      case when this page was drawn, and no part of the report hash.
    </p>
    ${open.length === 0 ? html`<p>Nothing is open.</p>` : html`${body}`}
  </section> `;
}

function bucketsHtml(breaks: readonly AgedBreak[], currency: Currency): Html {
  const code = currency.toUpperCase();
  const row = (label: string, of: readonly AgedBreak[]): Row => {
    const { count, underMinor, overMinor } = sumDifferences(of, currency);
    const unowned = of.filter((one) => (one.case?.owner ?? null) === null).length;
    const oldest = of.reduce((most, { ageDays }) => Math.max(most, ageDays), 0);
    return [
      label,
      `${count}`,
      `${unowned}`,
      count === 0 ? '' : `${oldest}\u00a0d`,
      formatAmount(underMinor - overMinor, currency),
      formatAmount(underMinor + overMinor, currency),
    ];
  };
  return tableHtml({
    label: `Open breaks by age, ${code}`,
    className: 'tight whole',
    columns: [
      { head: 'Age, days' },
      { head: 'Open', kind: 'number' },
      { head: 'Without an owner', kind: 'number' },
      { head: 'Oldest', kind: 'number' },
      { head: `Net, ${code}`, kind: 'number' },
      { head: `Gross, ${code}`, kind: 'number' },
    ],
    groups: [
      {
        rows: AGE_BUCKETS.map((bucket) =>
          row(
            bucket.replace('-', '–').replace('>', '> '),
            breaks.filter(({ ageBucket }) => ageBucket === bucket),
          ),
        ),
      },
    ],
    foot: row('All open', breaks),
  });
}

function ownersHtml(breaks: readonly AgedBreak[], currency: Currency): Html {
  return tableHtml({
    label: `Owner and due date, ${currency.toUpperCase()}`,
    className: 'tight owners',
    columns: [
      { head: 'Account, meter' },
      { head: 'Code', kind: 'narrow' },
      { head: `Money, ${currency.toUpperCase()}`, kind: 'number' },
      { head: 'Age', kind: 'number' },
      { head: 'Severity', kind: 'narrow' },
      { head: 'State', kind: 'narrow' },
      { head: 'Owner' },
      { head: 'Due', kind: 'narrow' },
    ],
    groups: [{ rows: breaks.map(ownerRow) }],
  });
}

function ownerRow(of: AgedBreak): Row {
  const meter = of.meter === null ? null : html` <span class="quiet">${meterLabel(of.meter)}</span>`;
  return [
    html`<bdi class="account">${of.account}</bdi>${meter}`,
    html`<span class="code">${of.code}</span>`,
    formatAmount(BigInt(of.amountMinor), of.currency),
    html`<span title="since ${of.brokeAt}">${of.ageDays} d</span>`,
    of.case === null ? '' : html`<span class="severity ${of.case.severity}">${of.case.severity}</span>`,
    of.case?.state ?? html`<span class="quiet">no case yet</span>`,
    of.case === null ? '' : of.case.owner === null ? html`<span class="quiet">nobody</span>` : of.case.owner,
    of.case === null ? '' : formatDay(toIso(of.case.dueAtMs)),
  ];
}
