// The report of a period as one HTML page that a reviewer reads, prints and signs. It needs no script and no other
// file, and the same report gives the same bytes. Pure: it fails only on a report that breaks its own type.

import { toTrend, type TrendPoint } from '../report/trend.ts';
import type { Report } from '../report/types.ts';
import { html, trusted } from './escape.ts';
import { formatPeriod } from './format.ts';
import { accountsSection } from './sections/accounts.ts';
import { breaksSection } from './sections/breaks.ts';
import { bridgeSection } from './sections/bridge.ts';
import { rejectsSection } from './sections/rejects.ts';
import { signOffSection } from './sections/sign-off.ts';
import { trendSection } from './sections/trend.ts';
import { verdictSection } from './sections/verdict.ts';
import { pageStyle } from './style.ts';

/** `trend` holds the periods up to this one; without it the report stands alone. */
export function renderReportHtml(report: Report, trend: readonly TrendPoint[] = toTrend([report])): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Reconciliation of ${formatPeriod(report.period)}</title>
        <style>
          ${trusted(pageStyle(report))}
        </style>
      </head>
      <body>
        <main>
          ${verdictSection(report)}
          <nav aria-label="Sections">
            <a href="#bridge">1 Bridge</a> <a href="#breaks">2 Breaks</a>
            <a href="#accounts">3 Accounts and invoices</a> <a href="#rejects">4 Rejected messages</a>
            <a href="#trend">5 Trend</a> <a href="#sign-off">6 Basis and sign-off</a>
          </nav>
          ${bridgeSection(report)} ${breaksSection(report)} ${accountsSection(report)} ${rejectsSection(report)}
          ${trendSection(trend)} ${signOffSection(report)}
        </main>
      </body>
    </html> `.markup;
}
