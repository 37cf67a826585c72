// Section 2: every difference, first by class with money and age, then each with both sides, hours and evidence. Pure.

import { BREAK_CODES } from '../../../domain/contracts/break-codes.ts';
import type { Currency } from '../../../domain/money.ts';
import type { BreakClass, Report, ReportBreak } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import { billedWord, formatAmount, formatNumber, meterLabel, plural, shortHash } from '../format.ts';
import { hoursHtml } from '../hours.ts';
import { sideHtml } from '../sides.ts';
import { tableHtml, type Group, type Row } from '../table.ts';
import { currenciesOf, sumDifferences, sumMinor } from '../totals.ts';

export function breaksSection(report: Report): Html {
  const body =
    report.breaks.length === 0
      ? html`<p>No difference was found.</p>`
      : html`${currenciesOf(report).map((currency) => currencyHtml(report, currency))}`;
  return html`<section id="breaks">
    <h2>2 Breaks</h2>
    <p class="lead">
      Money of a break is what should be charged less what is charged: a positive amount is under-billed, one with a
      minus is over-billed.
    </p>
    ${body}
  </section> `;
}

function currencyHtml(report: Report, currency: Currency): Html {
  const classes = report.classes.filter((of) => of.currency === currency);
  const breaks = report.breaks.filter((of) => of.currency === currency);
  if (breaks.length === 0) return html``;
  const code = currency.toUpperCase();
  return html`<h3>By class, ${code}</h3>
    ${classesHtml(classes, breaks, currency)}
    <h3>Every break, ${code}</h3>
    ${everyHtml(breaks, currency)}`;
}

function classesHtml(classes: readonly BreakClass[], breaks: readonly ReportBreak[], currency: Currency): Html {
  const code = currency.toUpperCase();
  const count = (of: (one: BreakClass) => number) => `${classes.reduce((sum, one) => sum + of(one), 0)}`;
  return tableHtml({
    label: `Breaks by class, ${code}`,
    className: 'classes',
    columns: [
      { head: 'Code, leg and rule' },
      { head: 'Count', kind: 'number' },
      { head: 'Open', kind: 'number' },
      { head: `Net, ${code}`, kind: 'number' },
      { head: `Gross, ${code}`, kind: 'number' },
      { head: 'Oldest', kind: 'number' },
      { head: 'Suggested resolution', kind: 'minor' },
    ],
    groups: [
      {
        rows: classes.map((of) =>
          classRow(
            of,
            breaks.filter(({ code }) => code === of.code),
          ),
        ),
      },
    ],
    foot: [
      'All classes',
      count(({ count }) => count),
      count(({ open }) => open),
      formatAmount(
        sumMinor(classes, ({ amountMinor }) => amountMinor),
        currency,
      ),
      grossOf(breaks, currency),
      oldestOf(breaks),
    ],
  });
}

function classRow(of: BreakClass, breaks: readonly ReportBreak[]): Row {
  return [
    html`<strong class="code">${of.code}</strong> <span class="leg">${of.stage}</span><br /><span class="quiet"
        >${of.rule}</span
      >`,
    formatNumber(`${of.count}`),
    formatNumber(`${of.open}`),
    moneyHtml(of.amountMinor, of.currency),
    grossOf(breaks, of.currency),
    oldestOf(breaks),
    of.resolution,
  ];
}

function grossOf(breaks: readonly ReportBreak[], currency: Currency): string {
  const { underMinor, overMinor } = sumDifferences(breaks, currency);
  return formatAmount(underMinor + overMinor, currency);
}

function oldestOf(breaks: readonly ReportBreak[]): string {
  return `${breaks.reduce((most, { ageDays }) => Math.max(most, ageDays), 0)}\u00a0d`;
}

function everyHtml(breaks: readonly ReportBreak[], currency: Currency): Html {
  const inOrder = [...breaks].sort((a, b) => BREAK_CODES.indexOf(a.code) - BREAK_CODES.indexOf(b.code));
  const groups = Map.groupBy(inOrder, ({ code, resolution }) => `${code} ${resolution}`);
  return tableHtml({
    label: `Every break, ${currency.toUpperCase()}`,
    className: 'every',
    columns: [
      { head: 'Account, meter' },
      { head: `Money, ${currency.toUpperCase()}`, kind: 'number' },
      { head: 'Expected', kind: 'number' },
      { head: 'Actual', kind: 'number' },
      { head: 'Hours (UTC)' },
      { head: 'Age', kind: 'number' },
      { head: 'Status', kind: 'narrow' },
      { head: 'Evidence', kind: 'narrow' },
    ],
    groups: [...groups.values()].map(groupOf),
  });
}

function groupOf(breaks: readonly ReportBreak[]): Group {
  const [first] = breaks;
  const heading = html`<span class="code">${first?.code ?? ''}</span> <span class="leg">${first?.stage ?? ''}</span>
    <span class="quiet">${plural(breaks.length, 'break')} · resolution: ${first?.resolution ?? ''}</span>`;
  return { heading, rows: breaks.map(breakRow) };
}

function breakRow(of: ReportBreak): Row {
  const meter = of.meter === null ? 'whole invoice' : meterLabel(of.meter);
  return [
    html`<bdi class="account">${of.account}</bdi><br /><span class="quiet">${meter}</span>`,
    moneyHtml(of.amountMinor, of.currency),
    sideHtml(of, of.expected),
    sideHtml(of, of.actual),
    hoursHtml(of.hours),
    html`<span title="since ${of.brokeAt}">${of.ageDays} d</span>`,
    of.status,
    html`${of.evidence.map((hash, index) => html`${index === 0 ? null : html`<br />`}${shortHash(hash)}`)}`,
  ];
}

function moneyHtml(amountMinor: string, currency: Currency): Html {
  const amount = BigInt(amountMinor);
  return html`${formatAmount(amount, currency)}<br /><span class="quiet">${billedWord(amount)}</span>`;
}
