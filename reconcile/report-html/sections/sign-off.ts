// Section 9: who signed, or the lines to sign on. A signature binds the hashes printed above it. Pure.

import { toIso } from '../../../domain/period.ts';
import { toSignature, type ReportBeside, type Signature } from '../../report/beside.ts';
import type { Report } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import { formatInstant, formatPeriod, joinWords } from '../format.ts';

export function signOffSection(report: Report, beside: ReportBeside): Html {
  return html`<section id="sign-off">
    <h2>9 Sign-off</h2>
    <div class="sign">
      <p>
        By signing, the preparer and the reviewer, two different people, state that they have read the reconciliation of
        ${formatPeriod(report.period)} (run <code>${report.run}</code>) and accept what it says. The signature binds
        this content and no other:
      </p>
      <dl class="basis">
        <div>
          <dt>Report hash</dt>
          <dd><code>${report.reportHash}</code></dd>
        </div>
        <div>
          <dt>Evidence hash</dt>
          <dd><code>${report.evidenceHash}</code></dd>
        </div>
      </dl>
      ${signaturesHtml(toSignature(report, beside))}
      <p class="remark">
        If either hash of a later report of this period differs, the signature does not cover that report.
      </p>
    </div>
  </section> `;
}

function signaturesHtml(signature: Signature): Html {
  if (signature.kind === 'broken') {
    return html`<p class="alarm">A signature exists and does not cover this report: ${joinWords(signature.why)}.</p>
      ${openLine('Prepared by')} ${openLine('Reviewed by')}`;
  }
  if (signature.kind === 'none') return html`${openLine('Prepared by')} ${openLine('Reviewed by')}`;
  const { preparedBy, preparedAtMs, preparedEntry, approved, note } = signature.signOff;
  const remark = note === null ? null : html`<p class="remark">The preparer signed all the same, because: ${note}</p>`;
  const reviewed = approved === null ? openLine('Reviewed by') : signedLine('Reviewed by', { ...approved });
  return html`${signedLine('Prepared by', { by: preparedBy, atMs: preparedAtMs, entry: preparedEntry })} ${reviewed}
  ${remark}`;
}

function openLine(role: string): Html {
  return html`<div class="line"><span>${role} (name)</span><span>Signature</span><span>Date</span></div> `;
}

type Signed = {
  readonly by: string;
  readonly atMs: number;
  readonly entry: { readonly sequence: string; readonly hash: string };
};

/** Signed in Trueup: the audit log holds the signature, and its entry is named. */
function signedLine(role: string, { by, atMs, entry }: Signed): Html {
  return html`<div class="signed">
    <div><span class="quiet">${role}</span><br /><strong>${by}</strong></div>
    <div><span class="quiet">Signed</span><br />${formatInstant(toIso(atMs))}</div>
    <div><span class="quiet">Audit log, entry ${entry.sequence}</span><br /><code>${entry.hash}</code></div>
  </div> `;
}
