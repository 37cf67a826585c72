// The head of the page: the period, the verdict in a sentence, the key figures and what the paper is about. Pure.

import { computeMatched } from '../../report/matched.ts';
import type { Report } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import {
  formatAmount,
  formatAmountIn,
  formatBasisPoints,
  formatInstant,
  formatNumber,
  formatPeriod,
  plural,
} from '../format.ts';
import { currenciesOf, sumDifferences } from '../totals.ts';
import { toVerdict } from '../verdict-words.ts';

export function verdictSection(report: Report): Html {
  const clean = report.verdict.result === 'clean';
  const { headline, detail } = toVerdict(report);
  return html`<header>
    <p class="kicker">Usage billing reconciliation</p>
    <h1>${formatPeriod(report.period)}</h1>
    <div class="verdict ${clean ? 'clean' : 'breaks'}">
      <p><strong class="stamp">${clean ? 'PASS' : 'ATTENTION'}</strong> ${matchedWords(report)}</p>
      <p><strong>${headline}</strong> ${detail}</p>
    </div>
    ${keyFigures(report)} ${control(report)}
  </header> `;
}

/** What agrees and what does not, in one line: of the accounts, and of the rated money. */
function matchedWords(report: Report): string {
  const { accounts, accountsBasisPoints, money } = computeMatched(report);
  const share = formatBasisPoints(accountsBasisPoints);
  const ofAccounts = `${accounts} of ${plural(report.accounts.length, 'account')} matched (${share})`;
  const ofMoney = money.map(({ currency, basisPoints, netMinor, grossMinor }) => {
    const net = `net ${formatAmountIn(netMinor, currency)}`;
    return `${formatBasisPoints(basisPoints)} of rated ${currency.toUpperCase()}, ${net}, gross ${formatAmountIn(grossMinor, currency)}`;
  });
  return [ofAccounts, ...ofMoney].join(' · ');
}

type Figure = { readonly term: string; readonly value: string; readonly note?: string };

function keyFigures(report: Report): Html {
  const { verdict } = report;
  const notBilled = [`${verdict.held} held`, `${verdict.missing} missing`, `${verdict.failed} failed`].join(' · ');
  const figures: Figure[] = [
    {
      term: 'Accounts',
      value: formatNumber(`${verdict.accounts}`),
      note: `${computeMatched(report).accounts} billed, nothing open`,
    },
    { term: 'Invoices billed', value: formatNumber(`${verdict.billed}`), note: notBilled },
    { term: 'Open breaks', value: formatNumber(`${verdict.openBreaks}`), note: `${verdict.unexplained} unexplained` },
    { term: 'Rounding auto-accepted', value: formatNumber(`${verdict.autoAccepted}`), note: acceptedMoney(report) },
    ...currenciesOf(report).flatMap((currency) => moneyFigures(report, currency)),
  ];
  const items = figures.map(
    ({ term, value, note }) =>
      html`<div>
        <dt>${term}</dt>
        <dd>${value}</dd>
        <dd class="note">${note ?? ''}</dd>
      </div> `,
  );
  return html`<dl class="figures">${items}</dl>`;
}

function moneyFigures(report: Report, currency: Report['money'][number]['currency']): Figure[] {
  const code = currency.toUpperCase();
  const bridge = report.money.find((of) => of.currency === currency);
  const open = report.breaks.filter(({ status }) => status === 'open');
  const { underMinor, overMinor } = sumDifferences(open, currency);
  const rated = BigInt(bridge?.ratedMinor ?? '0');
  const invoiced = BigInt(bridge?.invoicedMinor ?? '0');
  const net = formatAmount(underMinor - overMinor, currency);
  const gross = formatAmount(underMinor + overMinor, currency);
  return [
    { term: `Rated, ${code}`, value: formatAmount(rated, currency), note: 'our own rating, fees included' },
    {
      term: `Invoiced, ${code}`,
      value: formatAmount(invoiced, currency),
      note: `rated − invoiced ${formatAmount(rated - invoiced, currency)}`,
    },
    { term: `Under-billed, ${code}`, value: formatAmount(underMinor, currency), note: `open breaks, net ${net}` },
    { term: `Over-billed, ${code}`, value: formatAmount(overMinor, currency), note: `open breaks, gross ${gross}` },
  ];
}

function acceptedMoney(report: Report): string {
  const accepted = report.breaks.filter(({ status }) => status === 'auto-accepted');
  const nets = currenciesOf(report).flatMap((currency) => {
    const { count, underMinor, overMinor } = sumDifferences(accepted, currency);
    return count === 0 ? [] : [formatAmountIn(underMinor - overMinor, currency)];
  });
  return nets.length === 0 ? 'none' : `net ${nets.join(', ')}`;
}

function control(report: Report): Html {
  return html`<dl class="control">
    <div>
      <dt>Run</dt>
      <dd><code>${report.run}</code></dd>
    </div>
    <div>
      <dt>Usage from</dt>
      <dd>${formatInstant(report.periodStart)}</dd>
    </div>
    <div>
      <dt>until before</dt>
      <dd>${formatInstant(report.periodEnd)}</dd>
    </div>
    <div>
      <dt>Reported at</dt>
      <dd>${formatInstant(report.reportedAt)}</dd>
    </div>
    <div class="wide">
      <dt>Price book</dt>
      <dd><code>${report.evidence.priceBookHash}</code></dd>
    </div>
    <div class="wide">
      <dt>Cut-off: end offset per partition</dt>
      <dd><code>${report.evidence.barrier.join(' ')}</code></dd>
    </div>
    <div class="wide">
      <dt>Report hash</dt>
      <dd><code>${report.reportHash}</code></dd>
    </div>
    <div class="wide">
      <dt>Evidence hash</dt>
      <dd><code>${report.evidenceHash}</code></dd>
    </div>
  </dl>`;
}
