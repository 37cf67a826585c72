// The look of the page: light, dense and calm, on screen and on A4. The foot of every printed sheet names the report,
// so that loose sheets can be told apart. Pure.

import type { Report } from '../report/types.ts';

export function pageStyle({ period, reportHash }: Report): string {
  // Only digits, letters and hyphens reach the style sheet, whatever the report says.
  const plain = (text: string) => text.replace(/[^0-9A-Za-z-]/g, '');
  return `${SCREEN}${PRINT}
@page { @bottom-left { content: "Reconciliation ${plain(period)} · report hash ${plain(reportHash).slice(0, 16)}"; } }
`;
}

const SCREEN = `
:root { --ink: #1d252c; --quiet: #59636c; --line: #d5dade; --strong: #3b4a57; --tint: #f4f6f7; --warn: #9c3f00; --good: #1c5e3b;
  color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink); font: 14px/1.42 -apple-system, "Segoe UI", "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums lining-nums; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 24px 64px; }
h1, h2, h3, p, dl, dd, figure { margin: 0; }
h1 { font-size: 30px; line-height: 1.15; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 19px; font-weight: 650; margin: 40px 0 6px; padding-top: 10px; border-top: 2px solid var(--strong); }
h3 { font-size: 14px; font-weight: 650; margin: 22px 0 6px; }
code { font: 0.9em/1.3 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
a { color: inherit; }
.kicker { color: var(--quiet); letter-spacing: 0.04em; text-transform: uppercase; font-size: 12px; margin-bottom: 4px; }
.verdict { margin: 18px 0; padding: 12px 16px; border: 1px solid var(--line); border-left: 5px solid; font-size: 16px; }
.verdict p + p { margin-top: 4px; }
.verdict .stamp { letter-spacing: 0.05em; margin-right: 6px; }
.verdict.clean { border-left-color: var(--good); }
.verdict.breaks { border-left-color: var(--warn); }
.verdict.clean strong { color: var(--good); }
.verdict.breaks strong { color: var(--warn); }
.note, .quiet, .remark, .lead, figcaption { color: var(--quiet); }
.note, .remark, figcaption { font-size: 12px; }
.lead { max-width: 82ch; margin-bottom: 10px; }
.remark { margin-top: 6px; }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); border-top: 1px solid var(--line); border-left: 1px solid var(--line); }
.figures div { padding: 8px 12px 9px; border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.figures dt { font-size: 12px; color: var(--quiet); }
.figures dd { font-size: 19px; font-weight: 600; line-height: 1.3; }
.figures dd.note { font-size: 12px; font-weight: 400; }
.control { display: grid; grid-template-columns: repeat(4, 1fr); gap: 6px 16px; margin-top: 14px; padding: 10px 12px; background: var(--tint); font-size: 12.5px; }
.control .wide { grid-column: span 2; }
.control dt, .basis dt { color: var(--quiet); font-size: 12px; }
nav { margin-top: 14px; font-size: 12.5px; display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--quiet); }
.way { display: grid; grid-template-columns: repeat(7, auto); justify-content: space-between; margin: 6px 0 4px; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.way div { padding: 7px 22px 7px 0; position: relative; }
.way div:not(:last-child)::after { content: "→"; position: absolute; right: 4px; top: 25px; color: var(--quiet); }
.way dt { font-size: 12px; color: var(--quiet); }
.way dd { font-weight: 600; white-space: nowrap; }
.way dd.note { font-weight: 400; }
.chart { display: block; width: 100%; max-width: 860px; height: auto; }
figcaption { margin: 4px 0 8px; }
.pair { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 7fr); gap: 0 28px; align-items: start; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid #0072b2; outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; font-size: 13px; line-height: 1.32; }
th, td { padding: 4px 10px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 2px; }
thead th { font-size: 11.5px; font-weight: 600; color: var(--quiet); vertical-align: bottom; border-bottom: 1.5px solid var(--strong); }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
.classes thead th.number { white-space: nowrap; }
.number + :not(.number) { padding-left: 8px; }
.narrow { white-space: nowrap; }
td.minor { color: var(--quiet); }
td .quiet { font-size: 11.5px; }
tr.group th { background: var(--tint); font-weight: 600; padding: 6px 8px; border-bottom: 1px solid var(--line); }
tr.group .quiet { font-weight: 400; font-size: 12px; }
tfoot td { font-weight: 650; border-top: 1.5px solid var(--strong); border-bottom: 0; }
.tight td { padding-top: 2.5px; padding-bottom: 2.5px; }
.account { font-weight: 600; overflow-wrap: anywhere; }
.every td:first-child { min-width: 9.5em; }
.hours { white-space: nowrap; }
.tight .account { font-weight: 400; }
.code { font-weight: 650; font-size: 12px; letter-spacing: 0.01em; }
.leg { color: var(--quiet); border: 1px solid var(--line); border-radius: 3px; padding: 0 4px; font-size: 11px; font-weight: 400; }
.step { padding-left: 14px; color: var(--quiet); }
.words { display: inline-block; white-space: normal; max-width: 15em; overflow-wrap: anywhere; }
.state.held, .state.missing, .state.failed, .state.open { font-weight: 650; color: var(--warn); }
.alarm { color: var(--warn); }
.basis { display: grid; gap: 4px; margin: 10px 0 14px; font-size: 12.5px; }
.basis div { display: grid; grid-template-columns: 220px 1fr; }
.sign { border: 1px solid var(--strong); padding: 14px 18px 10px; margin-top: 18px; }
.sign .line { display: grid; grid-template-columns: 5fr 5fr 3fr; gap: 24px; margin-top: 54px; font-size: 12px; color: var(--quiet); }
.sign .line span { border-top: 1px solid var(--ink); padding-top: 3px; }
.sign .remark { margin-top: 18px; }
.signed { display: grid; grid-template-columns: 2fr 4fr 7fr; gap: 20px; margin-top: 18px; padding-top: 8px; border-top: 1px solid var(--line); font-size: 13px; }
.signed .quiet { font-size: 12px; }
.severity.critical, .severity.high { font-weight: 650; color: var(--warn); }
.cash { max-width: 640px; }
@media screen and (max-width: 760px) {
  main { padding: 20px 14px 48px; }
  .figures, .control { grid-template-columns: repeat(2, 1fr); }
  .pair { grid-template-columns: minmax(0, 1fr); }
  .way { grid-template-columns: repeat(2, 1fr); border-bottom: 0; }
  .way div::after { display: none; }
  table { min-width: 560px; }
  .basis div, .signed { grid-template-columns: 1fr; }
}
`;

const PRINT = `
@page { size: A4; margin: 14mm 13mm 16mm; font: 8pt -apple-system, "Segoe UI", "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; color: #59636c;
  @bottom-right { content: "Page " counter(page) " of " counter(pages); } }
@media print {
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 9pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  h1 { font-size: 20pt; }
  h2 { font-size: 12.5pt; margin-top: 18pt; }
  h3 { font-size: 9.5pt; margin-top: 12pt; }
  h2, h3, .lead { break-after: avoid; }
  .verdict { font-size: 10.5pt; margin: 10pt 0; padding: 7pt 10pt; }
  .figures dd { font-size: 12.5pt; }
  .figures dt, .figures dd.note, .note, .remark, figcaption, .control dt, .basis dt, .way dt { font-size: 7.8pt; }
  .control, .basis { font-size: 8pt; }
  .control .wide { grid-column: 1 / -1; display: grid; grid-template-columns: 25% 1fr; }
  .control code { font-size: 7.2pt; }
  table { font-size: 8pt; min-width: 0; }
  thead th { font-size: 7.4pt; }
  th, td { padding-right: 6pt; }
  td .quiet, .leg, tr.group .quiet { font-size: 7.2pt; }
  .code { font-size: 7.6pt; }
  code { font-size: 7.2pt; }
  thead { display: table-header-group; }
  tfoot { display: table-row-group; }
  tr, figure, .lead, .whole, .classes, .figures, .control, .way, .sign, .basis { break-inside: avoid; }
  tr.group, tbody tr:nth-child(-n + 2), tbody tr:nth-last-child(2) { break-after: avoid; }
  tfoot { break-before: avoid; }
  .scroll { overflow: visible; }
  #sign-off { break-inside: avoid; }
  .chart { max-width: 100%; }
}
`;
