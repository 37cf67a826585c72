// The report of a period as one HTML page that a reviewer reads, prints and signs. It needs no script and no other
// file, and the same report beside the same cases gives the same bytes. Pure: it fails only on a report that breaks its own
// type.

import type { ReportBeside } from '../report/beside.ts';
import { toTrend } from '../report/trend.ts';
import type { Report } from '../report/types.ts';
import { html, trusted } from './escape.ts';
import { formatPeriod } from './format.ts';
import { accountsSection, annexSection } from './sections/accounts.ts';
import { ageingSection } from './sections/ageing.ts';
import { breaksSection } from './sections/breaks.ts';
import { bridgeSection } from './sections/bridge.ts';
import { controlSection } from './sections/control.ts';
import { materialitySection } from './sections/materiality.ts';
import { rejectsSection } from './sections/rejects.ts';
import { signOffSection } from './sections/sign-off.ts';
import { trendSection } from './sections/trend.ts';
import { verdictSection } from './sections/verdict.ts';
import { pageStyle } from './style.ts';

export function renderReportHtml(report: Report, beside: ReportBeside = {}): string {
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
            <a href="#bridge">1 Bridge</a> <a href="#breaks">2 Breaks</a> <a href="#accounts">3 Accounts</a>
            <a href="#ageing">4 Ageing</a> <a href="#materiality">5 Materiality</a> <a href="#trend">6 Trend</a>
            <a href="#rejects">7 Rejected messages</a> <a href="#control">8 Control totals</a>
            <a href="#sign-off">9 Sign-off</a> <a href="#annex">Annex</a>
          </nav>
          ${bridgeSection(report)} ${breaksSection(report)} ${accountsSection(report)} ${ageingSection(report, beside)}
          ${materialitySection(report)} ${trendSection(beside.trend ?? toTrend([report]))} ${rejectsSection(report)}
          ${controlSection(report)} ${signOffSection(report, beside)} ${annexSection(report)}
        </main>
      </body>
    </html> `.markup;
}
