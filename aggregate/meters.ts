// Meter names as the tables spell them.

import { invariant } from '../domain/contracts/errors.ts';
import { METERS, type MeterName } from '../domain/meter.ts';

/** Throws `bug` on a meter outside the catalogue: a table of this room would hold what nobody wrote. */
export function fromMeter(text: string): MeterName {
  const meter = METERS.find((name) => name === text);
  invariant(meter !== undefined, 'I3', `a rollup holds the unknown meter "${text}"`);
  return meter;
}
