// Leg L2, what the biller took and could not use: it says so afterwards only. The money is told where the summary then
// differs; here stands why. Pure.

import type { Finding } from './break.ts';
import type { MeterError, OwnSide } from './sides.ts';

/** One break per meter that errors name. */
export function compareMeterErrors({ account, currency }: OwnSide, errors: readonly MeterError[]): Finding[] {
  const byMeter = Map.groupBy(
    errors.filter(({ events }) => events > 0),
    ({ meter }) => meter,
  );
  return [...byMeter].map(([meter, own]) => ({
    code: 'METER_ERROR',
    account,
    meter,
    currency,
    amountMinor: 0n,
    hours: [],
    expected: 'no errors',
    actual: own.map(({ code, events }) => `${code} for ${events} events`).join(', '),
  }));
}
