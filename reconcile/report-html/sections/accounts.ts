// Section 3: the accounts with the largest differences and the largest accounts; and the annex: every account from rated to
// invoiced, every invoice. Pure.

import { metersOf, meterUnits, type MeterName } from '../../../domain/meter.ts';
import type { Currency } from '../../../domain/money.ts';
import type { AccountRow, InvoiceRow, Report } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import { formatAmount, meterLabel, quantityCell } from '../format.ts';
import { tableHtml, type Cell, type Row } from '../table.ts';
import { currenciesOf, differenceMinor, heldMinor, sumMinor } from '../totals.ts';
import { differencesHtml } from './differences.ts';

const NOT_KNOWN = html`<span class="quiet">not known</span>`;
const NOT_FINAL = html`<span class="quiet">not final</span>`;
const NONE = html`<span class="quiet">none</span>`;

export function accountsSection(report: Report): Html {
  return html`<section id="accounts">
    <h2>3 Accounts</h2>
    ${currenciesOf(report).map((currency) => differencesHtml(report, currency))}
    ${currenciesOf(report).map(
      (currency) =>
        html`<h3>Largest accounts by rated money, ${currency.toUpperCase()}</h3>
          ${topHtml(report, currency)}`,
    )}
  </section> `;
}

/** Behind the signatures: what they rest on, account by account and invoice by invoice. */
export function annexSection(report: Report): Html {
  return html`<section id="annex">
    <h2>Annex: every account and invoice</h2>
    ${currenciesOf(report).map(
      (currency) =>
        html`<h3>Tie-out of all accounts, ${currency.toUpperCase()}</h3>
          <p class="lead">
            Rated − invoiced = explained by breaks + held back + unexplained. What is held back for a break is not yet
            charged. An account that failed, or is held and no break says why, is unexplained.
          </p>
          ${tieOutHtml(report, currency)}`,
    )}
    ${currenciesOf(report).map(
      (currency) =>
        html`<h3>Invoices, ${currency.toUpperCase()}</h3>
          ${invoicesHtml(report, currency)}`,
    )}
  </section> `;
}

function amountCell(amountMinor: string | null, currency: Currency, absent: Cell): Cell {
  return amountMinor === null ? absent : formatAmount(BigInt(amountMinor), currency);
}

function stateHtml({ state, reasons }: AccountRow): Html {
  const why = reasons.length === 0 ? null : html`<br /><span class="quiet">${reasons.join(', ')}</span>`;
  return html`<span class="state ${state}">${state}</span>${why}`;
}

function topHtml(report: Report, currency: Currency): Html {
  const code = currency.toUpperCase();
  const rows = new Map(report.accounts.map((row) => [row.account, row]));
  const meters = metersOf(report.quantities);
  const top = report.topAccounts.filter((of) => of.currency === currency);
  return tableHtml({
    label: `Largest accounts, ${code}`,
    className: 'whole',
    columns: [
      { head: 'Account, plan' },
      ...meters.map((meter) => ({
        head: `${meterLabel(meter)}, ${meterUnits(meter).spokenUnit}`,
        kind: 'number' as const,
      })),
      { head: `Usage, ${code}`, kind: 'number' },
      { head: `Fee, ${code}`, kind: 'number' },
      { head: `Rated, ${code}`, kind: 'number' },
      { head: `Invoiced, ${code}`, kind: 'number' },
      { head: 'State', kind: 'narrow' },
    ],
    groups: [{ rows: top.flatMap(({ account, totalMinor }) => topRow(rows.get(account), totalMinor, meters)) }],
  });
}

function topRow(row: AccountRow | undefined, totalMinor: string, meters: readonly MeterName[]): Row[] {
  if (row === undefined) return [];
  const { currency } = row;
  const quantities = meters.map((meter): Cell => {
    const of = row.meters.find((one) => one.meter === meter);
    return of === undefined ? NOT_KNOWN : quantityCell(meter, of.quantity);
  });
  return [
    [
      html`<bdi class="account">${row.account}</bdi><br /><span class="quiet">${row.plan}</span>`,
      ...quantities,
      amountCell(row.usageMinor, currency, NOT_KNOWN),
      amountCell(row.feeMinor, currency, NOT_KNOWN),
      html`<strong>${formatAmount(BigInt(totalMinor), currency)}</strong>`,
      amountCell(row.invoicedMinor, currency, NONE),
      stateHtml(row),
    ],
  ];
}

function tieOutHtml(report: Report, currency: Currency): Html {
  const code = currency.toUpperCase();
  const rows = report.accounts.filter((row) => row.currency === currency);
  const total = (amountMinor: bigint) => formatAmount(amountMinor, currency);
  return tableHtml({
    label: `Tie-out of all accounts, ${code}`,
    className: 'tight',
    columns: [
      { head: 'Account' },
      { head: 'Plan', kind: 'minor' },
      { head: 'State', kind: 'narrow' },
      { head: 'Rated', kind: 'number' },
      { head: 'Invoiced', kind: 'number' },
      { head: 'Difference', kind: 'number' },
      { head: 'By breaks', kind: 'number' },
      { head: 'Held back', kind: 'number' },
      { head: 'Unexplained', kind: 'number' },
    ],
    groups: [{ rows: rows.map(tieOutRow) }],
    foot: [
      `${rows.length} accounts, ${code}`,
      '',
      '',
      total(sumMinor(rows, ({ totalMinor }) => totalMinor)),
      total(sumMinor(rows, ({ invoicedMinor }) => invoicedMinor)),
      total(rows.reduce((sum, row) => sum + differenceMinor(row), 0n)),
      total(sumMinor(rows, ({ explainedMinor }) => explainedMinor)),
      total(rows.reduce((sum, row) => sum + heldMinor(row), 0n)),
      total(sumMinor(rows, ({ unexplainedMinor }) => unexplainedMinor)),
    ],
  });
}

function tieOutRow(row: AccountRow): Row {
  const { currency } = row;
  const quietZero = (amountMinor: bigint): Cell =>
    amountMinor === 0n
      ? html`<span class="quiet">${formatAmount(0n, currency)}</span>`
      : formatAmount(amountMinor, currency);
  const unexplained = BigInt(row.unexplainedMinor);
  return [
    html`<bdi class="account">${row.account}</bdi>`,
    row.plan,
    html`<span class="state ${row.state}">${row.state}</span>`,
    amountCell(row.totalMinor, currency, NOT_KNOWN),
    amountCell(row.invoicedMinor, currency, NONE),
    quietZero(differenceMinor(row)),
    quietZero(BigInt(row.explainedMinor)),
    quietZero(heldMinor(row)),
    row.totalMinor === null
      ? NOT_KNOWN
      : unexplained === 0n
        ? quietZero(0n)
        : html`<strong class="alarm">${formatAmount(unexplained, currency)}</strong>`,
  ];
}

function invoicesHtml(report: Report, currency: Currency): Html {
  const code = currency.toUpperCase();
  const invoices = report.invoices.filter((of) => of.currency === currency);
  const drafts = invoices.filter(({ totalMinor }) => totalMinor === null).length;
  return tableHtml({
    label: `Invoices, ${code}`,
    className: 'tight',
    columns: [
      { head: 'Account' },
      { head: 'Number', kind: 'narrow' },
      { head: 'Id', kind: 'minor' },
      { head: 'Status', kind: 'narrow' },
      { head: `Total, ${code}`, kind: 'number' },
    ],
    groups: [{ rows: invoices.map(invoiceRow) }],
    foot: [
      `${invoices.length} invoices${drafts === 0 ? '' : `, ${drafts} of them drafts`}`,
      '',
      '',
      '',
      formatAmount(
        sumMinor(invoices, ({ totalMinor }) => totalMinor),
        currency,
      ),
    ],
  });
}

function invoiceRow({ account, id, number, status, currency, totalMinor }: InvoiceRow): Row {
  return [
    html`<bdi class="account">${account}</bdi>`,
    number ?? NONE,
    html`<code>${id}</code>`,
    status,
    amountCell(totalMinor, currency, NOT_FINAL),
  ];
}
