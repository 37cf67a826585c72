// Section 6: what the report rests on, and the lines to sign. A signature binds the hashes printed above it. Pure.

import type { Report } from '../../report/types.ts';
import { html, type Html } from '../escape.ts';
import { formatPeriod } from '../format.ts';

const ROLES = ['Prepared by', 'Reviewed by'] as const;

export function signOffSection(report: Report): Html {
  const { evidence } = report;
  const lines = ROLES.map(
    (role) => html`<div class="line"><span>${role} (name)</span><span>Signature</span><span>Date</span></div> `,
  );
  return html`<section id="sign-off">
    <h2>6 Basis and sign-off</h2>
    <dl class="basis">
      <div>
        <dt>Price book</dt>
        <dd><code>${evidence.priceBookHash}</code></dd>
      </div>
      <div>
        <dt>Digest of the closed usage</dt>
        <dd><code>${evidence.digest}</code></dd>
      </div>
      <div>
        <dt>Code version</dt>
        <dd><code>${evidence.codeVersion}</code></dd>
      </div>
      <div>
        <dt>Barrier (end offset per partition)</dt>
        <dd><code>${evidence.barrier.join(' ')}</code></dd>
      </div>
      <div>
        <dt>Late usage evaluated up to</dt>
        <dd><code>${evidence.lateBarrier.join(' ')}</code></dd>
      </div>
      <div>
        <dt>Stored evidence</dt>
        <dd>${evidence.hashes.length} records, each under its SHA-256</dd>
      </div>
    </dl>
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
      ${lines}
      <p class="remark">
        If either hash of a later report of this period differs, the signature does not cover that report.
      </p>
    </div>
  </section> `;
}
