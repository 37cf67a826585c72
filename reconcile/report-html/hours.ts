// Hours of a break as runs a reader takes in at once: "4 Oct 09:00–12:00 (3 h)". Pure.

import { HOUR_MS, toIso } from '../../domain/period.ts';
import { html, type Html } from './escape.ts';
import { formatHour } from './format.ts';

/** Half-open, ISO 8601. */
type HourRun = { readonly start: string; readonly end: string; readonly hours: number };

const RUNS_SHOWN = 3;

/** Hours that follow each other become one run. `hours` ascend. */
export function toHourRuns(hours: readonly string[]): HourRun[] {
  const runs: HourRun[] = [];
  for (const start of hours) {
    const end = toIso(Date.parse(start) + HOUR_MS);
    const last = runs.at(-1);
    if (last?.end === start) runs[runs.length - 1] = { start: last.start, end, hours: last.hours + 1 };
    else runs.push({ start, end, hours: 1 });
  }
  return runs;
}

export function formatRun({ start, end, hours }: HourRun): string {
  const sameDay = start.slice(0, 10) === end.slice(0, 10);
  const until = sameDay || hours === 1 ? end.slice(11, 16) : formatHour(end);
  return `${formatHour(start)}–${until}${hours === 1 ? '' : ` (${hours} h)`}`;
}

/** The first runs, with every hour in the title. */
export function hoursHtml(hours: readonly string[]): Html {
  if (hours.length === 0) return html`<span class="quiet">–</span>`;
  const runs = toHourRuns(hours);
  const shown = runs
    .slice(0, RUNS_SHOWN)
    .map((run, index) => html`${index === 0 ? null : html`<br />`}${formatRun(run)}`);
  const left = runs.slice(RUNS_SHOWN).reduce((sum, run) => sum + run.hours, 0);
  const more = left === 0 ? null : html`<br /><span class="quiet">and ${left} more h</span>`;
  return html`<span class="hours" title="${hours.join(', ')}">${shown}${more}</span>`;
}
