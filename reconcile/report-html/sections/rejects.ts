// Section 7: what was rejected on the way in, by reason, and what its sender should do about it. Pure.

import { REJECT_NEXT_STEP, REJECT_REASONS } from '../../../domain/contracts/reject-reasons.ts';
import type { Report } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import { formatNumber } from '../format.ts';
import { tableHtml, type Row } from '../table.ts';

const NEXT_STEPS: Readonly<Record<string, string>> = REJECT_NEXT_STEP;
const KNOWN: readonly string[] = REJECT_REASONS;

export function rejectsSection({ events }: Report): Html {
  const counts = events.rejectedByReason;
  const unknown = Object.keys(counts).filter((reason) => !KNOWN.includes(reason));
  const reasons = [...KNOWN, ...unknown.sort()].filter((reason) => (counts[reason] ?? '0') !== '0');
  const table = tableHtml({
    label: 'Rejected messages by reason',
    className: 'whole',
    columns: [{ head: 'Reason' }, { head: 'Messages', kind: 'number' }, { head: 'What the sender should do' }],
    groups: [
      {
        rows: reasons.map((reason): Row => [
          html`<span class="code">${reason}</span>`,
          formatNumber(counts[reason] ?? '0'),
          NEXT_STEPS[reason] ?? 'ask for the meaning of this reason: it is not in the closed list',
        ]),
      },
    ],
    foot: ['All reasons', formatNumber(events.rejected)],
  });
  return html`<section id="rejects">
    <h2>7 Rejected messages</h2>
    <p class="lead">
      A rejected message is kept with its place in the log and can be replayed. It is in no total of this report beyond
      the event bridge.
    </p>
    ${reasons.length === 0 ? html`<p>No message was rejected.</p>` : table}
  </section> `;
}
