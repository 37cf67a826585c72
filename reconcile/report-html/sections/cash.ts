// The last step of section 1: from what issued invoices ask for to what was paid. Pure.

import type { CashBridge } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import { formatAmount, formatNumber, formatSigned } from '../format.ts';
import { tableHtml, type Row } from '../table.ts';

export function cashHtml(bridge: CashBridge): Html {
  const { currency, dueMinor, notYetDueMinor, steps, paidMinor, unexplainedMinor } = bridge;
  const code = currency.toUpperCase();
  const total = (label: string, minor: string): Row => [
    html`<strong>${label}</strong>`,
    '',
    html`<strong>${formatAmount(BigInt(minor), currency)}</strong>`,
  ];
  const step = (label: string, count: string, minor: bigint): Row => [
    html`<span class="step">${label}</span>`,
    count,
    formatSigned(minor, currency),
  ];
  return html`<h3>Cash, ${code}</h3>
    ${tableHtml({
      label: `Cash bridge, ${code}`,
      className: 'whole cash',
      columns: [{ head: 'Step' }, { head: 'Breaks', kind: 'number' }, { head: `Amount, ${code}`, kind: 'number' }],
      groups: [
        {
          rows: [
            total('Due by issued invoices', dueMinor),
            step('not to be paid yet', '', -BigInt(notYetDueMinor)),
            ...steps.map(({ step: name, amountMinor, count }) =>
              step(name, formatNumber(`${count}`), BigInt(amountMinor)),
            ),
            step('unexplained', '', -BigInt(unexplainedMinor)),
            total('Paid through Stripe', paidMinor),
          ],
        },
      ],
    })}`;
}
