// The walks as a table, what was not as it should be, and one line of counts. Pure.

import type { Walks } from './all.ts';
import { SPEED } from './pace.ts';
import type { WalkResult } from './walk.ts';

const HEADING = ['ALERT', 'FIRED AFTER', 'ALLOWED', 'PROMISED', 'COMMANDS', 'ENDED AFTER'];

export function formatWalks({ results, skipped }: Walks): string[] {
  const rows = [HEADING, ...results.map(toRow)];
  const widths = HEADING.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [
    ...table,
    '',
    `Rules live ${SPEED} times faster (walks/pace.ts names those that do not). Allowed: the promise at that pace, and what does not shrink.`,
    ...[...skipped].map(([alert, why]) => `not walked: ${alert}, ${why}`),
    ...results.flatMap(({ alert, problems }) => problems.map((problem) => `\n${alert}: ${problem}`)),
    '',
    formatCounts(results),
  ];
}

export function formatCounts(results: readonly WalkResult[]): string {
  const fired = results.filter(({ firedMs }) => firedMs !== undefined).length;
  const cleared = results.filter(({ clearedMs }) => clearedMs !== undefined).length;
  return `walked=${results.length} fired=${fired} cleared=${cleared}`;
}

function toRow({ alert, firedMs, clearedMs, promised, problems, commands }: WalkResult): string[] {
  const answered = problems.length === 0 ? `${commands} ok` : `${commands} ok, ${problems.length} problems`;
  return [alert, seconds(firedMs), seconds(promised.allowedMs), promised.within, answered, seconds(clearedMs)];
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? 'never' : `${(ms / 1_000).toFixed(1)} s`;
}
