// Usage by the source that sent it: what a bulk correction takes back or replaces. Counted by the same definition and barrier
// as the closed totals, so that it is never more than they hold. Reads only.

import { TrueupError } from '../domain/contracts/errors.ts';
import { parseWhole } from '../domain/decimal.ts';
import { toIso, type Period } from '../domain/period.ts';
import type { CloseDeps } from './close.ts';
import { requirePeriod } from './period-record.ts';
import { fromMeter } from './meters.ts';
import { countedParameters, type Window } from './parameters.ts';
import { QUERIES } from './queries.ts';
import { requireTruth } from './retention/state.ts';
import type { AccountHour } from './usage.ts';

export type SourceSelection = {
  readonly source: string;
  /** Usage time, half-open, inside the period. */
  readonly window: Window;
  /** Null for every account. */
  readonly account: string | null;
};

export async function fetchSourceHours(
  deps: CloseDeps,
  period: Period,
  { source, window, account }: SourceSelection,
): Promise<AccountHour[]> {
  const { startAtMs, endAtMs } = window;
  if (startAtMs >= endAtMs || startAtMs < period.startAtMs || endAtMs > period.endAtMs) {
    const message = `${toIso(startAtMs)} to ${toIso(endAtMs)} is no window of ${period.key}`;
    throw refuse(message, 'name one within the period, and correct each period by itself');
  }
  const { state, barrier, catalogue } = await requirePeriod(deps.db, period);
  if (state !== 'CLOSED')
    throw refuse(`${period.key} is not closed yet`, 'close it first, or let the source send voids');
  await requireTruth(deps.db, period);
  const rows = await deps.clickhouse.query<{ account: string; meter: string; hour: number; counted: string }>(
    QUERIES.sourceAccountHours,
    { ...countedParameters({ window, before: barrier, catalogue }), source, account: account ?? '' },
  );
  return rows.map((row) => ({
    account: row.account,
    meter: fromMeter(row.meter),
    hourAtMs: row.hour * 1000,
    quantity: parseWhole(row.counted),
  }));
}

function refuse(message: string, next: string): TrueupError {
  return new TrueupError({ kind: 'rejected', code: 'PERIOD_STATE', message, next });
}
