// Section 1: from the messages in the log to what was paid. Four bridges (money, cash, events, quantities), each from total to
// total through named steps, the money one also as a picture. Pure.

import { meterUnits, type MeterName } from '../../../domain/meter.ts';
import type { Currency } from '../../../domain/money.ts';
import type { EventBridge, MoneyBridge, Report } from '../../report/types.ts';
import { renderBridgeChart } from '../chart.ts';
import { html, type Html } from '../escape.ts';
import {
  formatAmount,
  formatAmountIn,
  formatNumber,
  meterLabel,
  plural,
  quantityCell,
  quantityHtml,
} from '../format.ts';
import { tableHtml, type Row } from '../table.ts';
import { computeWaterfall, formatStep, isTotal } from '../waterfall.ts';
import { cashHtml } from './cash.ts';

/** Two meters are spoken of in the same unit. */
const KINDS: Readonly<Record<MeterName, string>> = {
  actions: '',
  active_storage: ' active',
  retained_storage: ' retained',
};

export function bridgeSection(report: Report): Html {
  return html`<section id="bridge">
    <h2>1 Bridge</h2>
    <p class="lead">
      Messages in the log → accepted → counted → rolled up → rated → invoiced → paid. Each line below leads from one
      total to the next through differences that have a name.
    </p>
    ${wayHtml(report)} ${report.money.map((bridge) => moneyHtml(report, bridge))} ${report.cash.map(cashHtml)}
    <div class="pair">
      <div>
        <h3>Events</h3>
        ${eventsHtml(report.events)}
      </div>
      <div>
        <h3>Quantities by meter</h3>
        ${quantitiesHtml(report)}
      </div>
    </div>
  </section> `;
}

/** The seven totals in one line. */
function wayHtml({ events, quantities, money, cash }: Report): Html {
  const rolledUp = quantities.map(
    ({ meter, rolledUp }) => html`<dd>${quantityHtml(meter, rolledUp)}${KINDS[meter]}</dd>`,
  );
  const amounts = (of: (bridge: MoneyBridge) => string) =>
    money.map((bridge) => html`<dd>${formatAmountIn(BigInt(of(bridge)), bridge.currency)}</dd>`);
  return html`<dl class="way">
    <div>
      <dt>In the log</dt>
      <dd>${formatNumber(events.messages)}</dd>
      <dd class="note">messages</dd>
    </div>
    <div>
      <dt>Accepted</dt>
      <dd>${formatNumber(events.accepted)}</dd>
      <dd class="note">messages</dd>
    </div>
    <div>
      <dt>Counted</dt>
      <dd>${formatNumber(events.counted)}</dd>
      <dd class="note">events</dd>
    </div>
    <div>
      <dt>Rolled up</dt>
      ${rolledUp}
    </div>
    <div>
      <dt>Rated</dt>
      ${amounts((bridge) => bridge.ratedMinor)}
    </div>
    <div>
      <dt>Invoiced</dt>
      ${amounts((bridge) => bridge.invoicedMinor)}
    </div>
    <div>
      <dt>Paid</dt>
      ${cash.map(({ paidMinor, currency }) => html`<dd>${formatAmountIn(BigInt(paidMinor), currency)}</dd>`)}
    </div>
  </dl>`;
}

function moneyHtml(report: Report, bridge: MoneyBridge): Html {
  const { currency } = bridge;
  const code = currency.toUpperCase();
  const { bars, floorMinor } = computeWaterfall(bridge);
  const rows = bridge.steps.map((step, index): Row => {
    const bar = bars[index];
    const label = html`${isTotal(step.step) ? html`<strong>${bar?.label ?? ''}</strong>` : (bar?.label ?? '')}`;
    const amount = formatStep(step, currency);
    return [
      label,
      step.step === 'unexplained' && step.count === 0 ? '' : formatNumber(`${step.count}`),
      isTotal(step.step) ? html`<strong>${amount}</strong>` : amount,
      formatAmount(bar?.afterMinor ?? 0n, currency),
    ];
  });
  const scale =
    floorMinor > 0n
      ? `Bars of totals are cut: the scale begins at ${formatAmountIn(floorMinor, currency)}, so that small steps can be seen. `
      : '';
  return html`<h3>Money, ${code}</h3>
    <figure>
      ${renderBridgeChart(bridge)}
      <figcaption>${scale}Hollow bars lower the balance, filled ones raise it.</figcaption>
    </figure>
    ${tableHtml({
      label: `Money bridge, ${code}`,
      className: 'whole',
      columns: [
        { head: 'Step' },
        { head: 'Accounts or breaks', kind: 'number' },
        { head: `Amount, ${code}`, kind: 'number' },
        { head: `Balance, ${code}`, kind: 'number' },
      ],
      groups: [{ rows }],
    })}
    <p class="remark">
      Beyond these invoices: usage that is late, unattributed or counted wrongly, worth
      ${formatAmountIn(BigInt(bridge.beyondMinor), currency)}, which no invoice of the closed period can
      hold.${notRatedWords(report, currency)}
    </p> `;
}

/** A rating that failed is unknown, and the bridge can only count it as nothing. */
function notRatedWords({ accounts }: Report, currency: Currency): string {
  const unknown = accounts.filter((row) => row.currency === currency && row.totalMinor === null).length;
  if (unknown === 0) return '';
  return ` Not in any amount above: ${plural(unknown, 'account')} without a rating, whose money is not known.`;
}

function eventsHtml(events: EventBridge): Html {
  const rows: readonly (readonly [string, string | null, 'total' | 'less' | 'residual'])[] = [
    ['Messages in the log', events.messages, 'total'],
    ['rejected', events.rejected, 'less'],
    ['Accepted', events.accepted, 'total'],
    ['further copies of an event', events.duplicates, 'less'],
    ['copies with other content, never billed', events.conflicts, 'less'],
    ['Unique events', events.unique, 'total'],
    ['of other periods, late, voided or voids', events.outside, 'less'],
    ['Counted in the period', events.counted, 'total'],
    ['Unexplained', events.unexplained, 'residual'],
    ['Apart from the above: distinct events the sources say they emitted', events.emitted, 'residual'],
  ];
  return tableHtml({
    label: 'Event bridge',
    className: 'whole',
    columns: [{ head: 'Step' }, { head: 'Messages or events', kind: 'number' }],
    groups: [{ rows: rows.map(eventRow) }],
  });
}

function eventRow([label, count, kind]: readonly [string, string | null, 'total' | 'less' | 'residual']): Row {
  if (count === null) return [label, 'not collected'];
  if (kind === 'total') return [html`<strong>${label}</strong>`, html`<strong>${formatNumber(count)}</strong>`];
  if (kind === 'residual') return [label, formatNumber(count)];
  return [html`<span class="step">${label}</span>`, formatNumber(count === '0' ? '0' : `-${count}`)];
}

function quantitiesHtml({ quantities }: Report): Html {
  const minus = (quantity: string) => (quantity === '0' ? '0' : `-${quantity}`);
  return tableHtml({
    label: 'Quantity bridge by meter',
    className: 'whole',
    columns: [
      { head: 'Step' },
      ...quantities.map(({ meter }) => ({
        head: `${meterLabel(meter)}, ${meterUnits(meter).spokenUnit}`,
        kind: 'number' as const,
      })),
    ],
    groups: [
      {
        rows: [
          strongRow(
            'Rolled up',
            quantities.map(({ meter, rolledUp }) => quantityCell(meter, rolledUp)),
          ),
          stepRow(
            'of no registered account',
            quantities.map((of) => quantityCell(of.meter, minus(of.unattributed))),
          ),
          stepRow(
            'of accounts that failed',
            quantities.map((of) => quantityCell(of.meter, minus(of.notRated))),
          ),
          ['Unexplained', ...quantities.map(({ meter, unexplained }) => quantityCell(meter, unexplained))],
          strongRow(
            'Rated',
            quantities.map(({ meter, rated }) => quantityCell(meter, rated)),
          ),
          strongRow(
            "In Stripe's summaries",
            quantities.map(({ meter, transmitted }) => quantityCell(meter, transmitted)),
          ),
          stepRow(
            'rated − in summaries',
            quantities.map((of) => quantityCell(of.meter, (BigInt(of.rated) - BigInt(of.transmitted)).toString())),
          ),
        ],
      },
    ],
  });
}

function strongRow(label: string, cells: readonly Html[]): Row {
  return [html`<strong>${label}</strong>`, ...cells.map((cell) => html`<strong>${cell}</strong>`)];
}

function stepRow(label: string, cells: readonly Html[]): Row {
  return [html`<span class="step">${label}</span>`, ...cells];
}
