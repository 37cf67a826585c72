// Section 8: totals and checksums from which an auditor recomputes the report. Every figure is a sum of rows elsewhere on
// the page or in its files. Pure.

import type { Currency } from '../../../domain/money.ts';
import type { Report } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import { formatAmount, formatNumber } from '../format.ts';
import { tableHtml, type Row } from '../table.ts';
import { currenciesOf, sumMinor } from '../totals.ts';

export function controlSection(report: Report): Html {
  const { evidence, events, quantities } = report;
  const counts: Row[] = [
    ['Messages in the log', formatNumber(events.messages)],
    ['Events counted in the period', formatNumber(events.counted)],
    ...quantities.map(({ meter, unit, rated }): Row => [`Rated, ${meter}, × 1 ${unit}`, formatNumber(rated)]),
    ['Accounts', formatNumber(`${report.accounts.length}`)],
    ['Invoices', formatNumber(`${report.invoices.length}`)],
    ['Breaks', formatNumber(`${report.breaks.length}`)],
    ['Evidence records', formatNumber(`${evidence.hashes.length}`)],
  ];
  const sums = currenciesOf(report).flatMap((currency) => sumsOf(report, currency));
  return html`<section id="control">
    <h2>8 Control totals and checksums</h2>
    <div class="pair">
      <div>
        <h3>Counts</h3>
        ${tableHtml({
          label: 'Control counts',
          className: 'tight whole',
          columns: [{ head: 'Of' }, { head: 'Count or quantity', kind: 'number' }],
          groups: [{ rows: counts }],
        })}
      </div>
      <div>
        <h3>Money</h3>
        ${tableHtml({
          label: 'Control sums',
          className: 'tight whole',
          columns: [{ head: 'Sum over' }, { head: 'Amount', kind: 'number' }, { head: 'Currency', kind: 'narrow' }],
          groups: [{ rows: sums }],
        })}
      </div>
    </div>
    <h3>Checksums</h3>
    <dl class="basis">
      ${entries(report).map(
        ([term, value]) =>
          html`<div>
            <dt>${term}</dt>
            <dd><code>${value}</code></dd>
          </div> `,
      )}
    </dl>
    <p class="remark">
      SHA-256 throughout. The report hash is over canonical JSON of period, price book, quantities, accounts and breaks;
      the evidence hash over that, both barriers, the digest, the code version and every evidence record.
    </p>
  </section> `;
}

function sumsOf(report: Report, currency: Currency): Row[] {
  const inCurrency = (of: { readonly currency: Currency }) => of.currency === currency;
  const accounts = report.accounts.filter(inCurrency);
  const row = (label: string, minor: bigint): Row => [label, formatAmount(minor, currency), currency.toUpperCase()];
  return [
    row(
      'accounts, rated',
      sumMinor(accounts, ({ totalMinor }) => totalMinor),
    ),
    row(
      'accounts, invoiced',
      sumMinor(accounts, ({ invoicedMinor }) => invoicedMinor),
    ),
    row(
      'invoices, total',
      sumMinor(report.invoices.filter(inCurrency), ({ totalMinor }) => totalMinor),
    ),
    row(
      'breaks, money',
      sumMinor(report.breaks.filter(inCurrency), ({ amountMinor }) => amountMinor),
    ),
  ];
}

function entries({ evidence, reportHash, evidenceHash }: Report): [string, string][] {
  return [
    ['Report hash', reportHash],
    ['Evidence hash', evidenceHash],
    ['Price book', evidence.priceBookHash],
    ['Digest of the closed usage', evidence.digest],
    ['Code version', evidence.codeVersion],
    ['Barrier (end offset per partition)', evidence.barrier.join(' ')],
    ['Late usage evaluated up to', evidence.lateBarrier.join(' ')],
  ];
}
