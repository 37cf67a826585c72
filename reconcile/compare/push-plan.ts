// Which hours to send: those whose closed total is not what was last sent. Pure. An hour that was sent and has no usage
// any more is sent as zero; hours too old to be metered are left out, and the read-back names them.

import type { HourTotal } from '../../aggregate/usage.ts';
import { METERS } from '../../domain/meter.ts';
import type { HourValue } from '../billing/port.ts';

export type PushPlan = { readonly values: readonly HourValue[]; readonly tooOld: number };

export function computePushPlan(of: {
  readonly closed: readonly HourTotal[];
  readonly pushed: readonly HourValue[];
  readonly isTooOld: (hourAtMs: number) => boolean;
}): PushPlan {
  const changed = METERS.flatMap((meter) => {
    const own = hoursOf(of.closed.filter((hour) => hour.meter === meter));
    const sent = hoursOf(of.pushed.filter((hour) => hour.meter === meter));
    const hours = [...new Set([...own.keys(), ...sent.keys()])].sort((a, b) => a - b);
    return hours
      .filter((hour) => (own.get(hour) ?? 0n) !== (sent.get(hour) ?? 0n))
      .map((hourAtMs): HourValue => ({ meter, hourAtMs, quantity: own.get(hourAtMs) ?? 0n }));
  });
  const values = changed.filter(({ hourAtMs }) => !of.isTooOld(hourAtMs));
  return { values, tooOld: changed.length - values.length };
}

/** Quantities by hour. */
export function hoursOf(
  hours: readonly { readonly hourAtMs: number; readonly quantity: bigint }[],
): Map<number, bigint> {
  return new Map(hours.map(({ hourAtMs, quantity }) => [hourAtMs, quantity]));
}
