// How old an hour may be to be metered. Stamping old usage younger would bill it in the wrong period, so what is too old
// is never sent as a meter event: it becomes an invoice item or a write-off.

import { WAITS } from '../../domain/contracts/waits.ts';

/** `nowMs` is business time. */
export function isTooOldToMeter(hourAtMs: number, nowMs: number): boolean {
  return nowMs - hourAtMs > WAITS.meterEventAgeMaxMs;
}
